package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kardianos/service"
)

// windowsService is a service of Windows. There is one of the machine only, and it runs as the system's
// own account, so that it is told where the files of whoever installs it are. Nobody has tested it yet.
type windowsService struct{ app *app }

func newWindowsService(a *app) (serviceManager, error) { return &windowsService{a}, nil }

// definition is what the service control manager is told.
func (w *windowsService) definition(j *job) (service.Service, error) {
	config := &service.Config{Name: serviceName, DisplayName: "snapsync", Description: "Keeps remotes true to local directories"}
	if j != nil {
		config.Executable, config.EnvVars = j.program, map[string]string{}
		config.Arguments = w.arguments(j)
		config.Option = service.KeyValue{
			"DelayedAutoStart": true, "OnFailure": "restart", "OnFailureDelayDuration": (30 * time.Second).String(), "OnFailureResetPeriod": 3600,
		}
		for _, kv := range j.env {
			name, value, _ := strings.Cut(kv, "=")
			config.EnvVars[name] = value
		}
	}
	s, err := service.New(idle{}, config)
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	return s, nil
}

// arguments name the files that the system's account would look for elsewhere.
func (w *windowsService) arguments(j *job) []string {
	args := j.args
	if w.app.Mappings == "" {
		args = append(args, "--mappings="+j.mappings)
	}
	if root, err := w.app.stateRoot(); err == nil && w.app.StateDir == "" {
		args = append(args, "--state-dir="+root)
	}
	return args
}

func (w *windowsService) text(j *job) (string, error) {
	return fmt.Sprintf("service %s, run as the system's account:\n%s %s\n", serviceName, j.program, strings.Join(w.arguments(j), " ")), nil
}

func (w *windowsService) install(j *job) error {
	s, err := w.definition(j)
	if err != nil {
		return err
	}
	if _, err := s.Status(); !errors.Is(err, service.ErrNotInstalled) { // so that its arguments become those of now
		if err := s.Uninstall(); err != nil {
			return fmt.Errorf("replace the service: %w", err)
		}
	}
	if err := s.Install(); err != nil {
		return &failure{status: statusError, err: fmt.Errorf("install the service: %w", err), hint: "call it as an administrator"}
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
		return fmt.Errorf("remove the service: %w", err)
	}
	w.app.tell("removed; configuration, state and log are as they were")
	return nil
}

func (w *windowsService) start() error {
	return w.do("start", service.Service.Start)
}

func (w *windowsService) stop() error {
	return w.do("stop", service.Service.Stop)
}

func (w *windowsService) do(verb string, action func(service.Service) error) error {
	s, err := w.definition(nil)
	if err != nil {
		return err
	}
	if _, err := s.Status(); errors.Is(err, service.ErrNotInstalled) {
		return notInstalled(false)
	}
	if err := action(s); err != nil {
		return fmt.Errorf("%s the service: %w", verb, err)
	}
	return nil
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
		return nil, fmt.Errorf("ask the service manager: %w", err)
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
		return statusError, true
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
		case p.status == statusOK:
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
