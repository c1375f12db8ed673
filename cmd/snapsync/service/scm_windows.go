package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// scm is the service control manager of Windows. It has one service, of the machine, which runs as the system's own
// account. Nobody has tested it yet.
type scm struct{}

func newSCM() (Manager, error) { return scm{}, nil }

// definition is what the service control manager is told.
func (scm) definition(j *Job) (kardianos.Service, error) {
	c := &kardianos.Config{Name: Name, DisplayName: "snapsync", Description: "Keeps remotes true to local directories"}
	if j != nil {
		c.Executable, c.Arguments = j.Program, j.Args
		c.Option = kardianos.KeyValue{
			"DelayedAutoStart": true, "OnFailure": "restart", "OnFailureDelayDuration": (30 * time.Second).String(), "OnFailureResetPeriod": 3600,
		}
	}
	s, err := kardianos.New(idle{}, c)
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	return s, nil
}

// Text is what the manager is told, for people: it has no file.
func (scm) Text(j *Job) (string, error) {
	return fmt.Sprintf("service %s, run as the system's account:\n%s %s\n", Name, j.Program, strings.Join(j.Args, " ")), nil
}

// Install makes the service, in place of one that is there, which it ends.
func (w scm) Install(_ context.Context, j *Job) (*Installed, error) {
	s, err := w.definition(j)
	if err != nil {
		return nil, err
	}
	if _, err := s.Status(); err == nil { // so that its arguments become those of now
		s.Stop() // while it runs it would only be marked, and the new one refused
		if err := s.Uninstall(); err != nil {
			return nil, refused("replace", err)
		}
	}
	if err := s.Install(); err != nil {
		return nil, refused("install", err)
	}
	return &Installed{Changed: true}, nil
}

// Uninstall stops the process, if there is one, and removes the service.
func (w scm) Uninstall(context.Context) (*Removed, error) {
	s, err := w.definition(nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.Status(); errors.Is(err, kardianos.ErrNotInstalled) {
		return &Removed{}, nil
	}
	s.Stop() // it may not be running
	if err := s.Uninstall(); err != nil {
		return nil, refused("remove", err)
	}
	return &Removed{Found: true}, nil
}

// Start has the manager start the process.
func (w scm) Start(context.Context) error {
	return w.do("start", kardianos.Service.Start, windows.ERROR_SERVICE_ALREADY_RUNNING)
}

// Stop returns when the process has ended.
func (w scm) Stop(context.Context) error {
	return w.do("stop", kardianos.Service.Stop, windows.ERROR_SERVICE_NOT_ACTIVE)
}

// do carries out an action; done is its error if there was nothing to do.
func (w scm) do(verb string, action func(kardianos.Service) error, done error) error {
	s, err := w.definition(nil)
	if err != nil {
		return err
	}
	if _, err := s.Status(); errors.Is(err, kardianos.ErrNotInstalled) {
		return notInstalled(false)
	}
	if err := action(s); err != nil && !errors.Is(err, done) {
		return refused(verb, err)
	}
	return nil
}

// refused is what the manager would not do.
func refused(verb string, err error) error {
	err = fmt.Errorf("%s the service: %w", verb, err)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return &exit.Failure{Status: exit.StatusError, Err: err, Hint: "call it as an administrator"}
	}
	return err
}

// Status says whether it runs, and no more.
func (w scm) Status(context.Context) (*Status, error) {
	s, err := w.definition(nil)
	if err != nil {
		return nil, err
	}
	st := &Status{State: "stopped"}
	state, err := s.Status()
	if errors.Is(err, kardianos.ErrNotInstalled) {
		return st, nil
	}
	if err != nil {
		return nil, refused("look at", err)
	}
	st.Installed, st.Enabled = true, true
	if state == kardianos.StatusRunning {
		st.State = "running"
	}
	return st, nil
}

// idle is for a process that only asks about the service.
type idle struct{}

// Start implements kardianos.Interface.
func (idle) Start(kardianos.Service) error { return nil }

// Stop implements kardianos.Interface.
func (idle) Stop(kardianos.Service) error { return nil }

// Run runs work in the protocol of the service manager if that started this process, and reports whether it did. The
// status is that of work.
func Run(work func(context.Context) int) (status int, ours bool) {
	if kardianos.Interactive() {
		return 0, false
	}
	p := &served{work: work}
	s, err := kardianos.New(p, &kardianos.Config{Name: Name})
	if err != nil || s.Run() != nil {
		return exit.StatusError, true
	}
	return p.status, true
}

// served is a process that the service manager started.
type served struct {
	work   func(context.Context) int
	stop   context.CancelFunc
	ended  chan struct{}
	status int // once ended is closed
}

// Start implements kardianos.Interface.
func (p *served) Start(s kardianos.Service) error {
	var ctx context.Context
	ctx, p.stop = context.WithCancel(context.Background())
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		p.status = p.work(ctx)
		switch {
		case ctx.Err() != nil: // the manager waits for it
		case p.status == exit.StatusOK:
			go s.Stop()
		default: // for the manager a process that is gone is a failure, and only that is started again
			os.Exit(p.status)
		}
	}()
	return nil
}

// Stop implements kardianos.Interface.
func (p *served) Stop(kardianos.Service) error {
	p.stop()
	<-p.ended
	return nil
}
