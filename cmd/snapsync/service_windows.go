package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// windowsService is a service of Windows. There is one of the machine only, and it runs as the system's
// own account, so that it is told where the files of whoever installs it are. Nobody has tested it yet.
type windowsService struct{ app *app }

func newWindowsService(a *app) (serviceManager, error) { return &windowsService{a}, nil }

// definition is what the service control manager is told.
func (w *windowsService) definition(j *job) (service.Service, error) {
	c := &service.Config{Name: serviceName, DisplayName: "snapsync", Description: "Keeps remotes true to local directories"}
	if j != nil {
		c.Executable, c.Arguments = j.program, w.arguments(j)
		c.Option = service.KeyValue{
			"DelayedAutoStart": true, "OnFailure": "restart", "OnFailureDelayDuration": (30 * time.Second).String(), "OnFailureResetPeriod": 3600,
		}
	}
	s, err := service.New(idle{}, c)
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	return s, nil
}

// arguments name the files that the system's account would look for elsewhere: what variables decide for whoever
// calls is among them, so that the service needs none.
func (w *windowsService) arguments(j *job) []string {
	args := slices.Clone(j.args)
	if w.app.Mappings == "" {
		args = append(args, "--mappings="+j.mappings)
	}
	if root, err := w.app.stateRoot(); err == nil && w.app.StateDir == "" {
		args = append(args, "--state-dir="+root)
	}
	if path := rclone.ConfigPath(); w.app.Config == "" && path != "" {
		if _, err := os.Stat(path); err == nil { // one that is named must be there
			args = append(args, "--config="+path)
		}
	}
	return args
}

func (w *windowsService) text(j *job) (string, error) {
	return fmt.Sprintf("service %s, run as the system's account:\n%s %s\n", serviceName, j.program, strings.Join(w.arguments(j), " ")), nil
}

func (w *windowsService) install(j *job) error {
	if !j.isOurs() {
		return exit.Usage("leave it out: on Windows the service runs as the system's own account", "--run-as %s", j.user.Username)
	}
	s, err := w.definition(j)
	if err != nil {
		return err
	}
	if _, err := s.Status(); err == nil { // so that its arguments become those of now
		s.Stop() // while it runs it would only be marked, and the new one refused
		if err := s.Uninstall(); err != nil {
			return failed("replace", err)
		}
	}
	if err := s.Install(); err != nil {
		return failed("install", err)
	}
	w.app.tell("installed the service %s, which nobody has tested on Windows yet: please report how it does", serviceName)
	w.app.tell("start it:  snapsync service start")
	w.app.tell("its log:   %s", show(j.log))
	return nil
}

func (w *windowsService) uninstall() error {
	s, err := w.definition(nil)
	if err != nil {
		return err
	}
	if _, err := s.Status(); errors.Is(err, service.ErrNotInstalled) {
		w.app.tell("not installed")
		return nil
	}
	s.Stop() // it may not be running
	if err := s.Uninstall(); err != nil {
		return failed("remove", err)
	}
	w.app.tell("removed; configuration, state and log are as they were")
	return nil
}

func (w *windowsService) start() error {
	return w.do("start", service.Service.Start, windows.ERROR_SERVICE_ALREADY_RUNNING, "started; 'snapsync status' shows how the mappings stand")
}

func (w *windowsService) stop() error {
	return w.do("stop", service.Service.Stop, windows.ERROR_SERVICE_NOT_ACTIVE, "stopped; what was under way is finished or recorded")
}

// do carries out an action; done is its error if there was nothing to do.
func (w *windowsService) do(verb string, action func(service.Service) error, done error, said string) error {
	s, err := w.definition(nil)
	if err != nil {
		return err
	}
	if _, err := s.Status(); errors.Is(err, service.ErrNotInstalled) {
		return notInstalled(false)
	}
	if err := action(s); err != nil && !errors.Is(err, done) {
		return failed(verb, err)
	}
	w.app.tell("%s", said)
	return nil
}

// failed is what the service manager refused.
func failed(verb string, err error) error {
	err = fmt.Errorf("%s the service: %w", verb, err)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return &exit.Failure{Status: exit.StatusError, Err: err, Hint: "call it as an administrator"}
	}
	return err
}

func (w *windowsService) status() (*serviceStatus, error) {
	s, err := w.definition(nil)
	if err != nil {
		return nil, err
	}
	st := &serviceStatus{State: "stopped"}
	state, err := s.Status()
	if errors.Is(err, service.ErrNotInstalled) {
		return st, nil
	}
	if err != nil {
		return nil, failed("look at", err)
	}
	st.Installed, st.Enabled = true, true
	if state == service.StatusRunning {
		st.State = "running"
	}
	return st, nil
}

// idle is for a process that only asks about the service.
type idle struct{}

// Start implements service.Interface.
func (idle) Start(service.Service) error { return nil }

// Stop implements service.Interface.
func (idle) Stop(service.Service) error { return nil }

// asService runs work in the protocol of the service manager if that started this process, and reports
// whether it did.
func asService(work func(context.Context) int) (status int, ok bool) {
	if service.Interactive() {
		return 0, false
	}
	p := &served{work: work}
	s, err := service.New(p, &service.Config{Name: serviceName})
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

// Start implements service.Interface.
func (p *served) Start(s service.Service) error {
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

// Stop implements service.Interface.
func (p *served) Stop(service.Service) error {
	p.stop()
	<-p.ended
	return nil
}
