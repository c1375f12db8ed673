package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// scm is the service control manager of Windows. Its one service is the machine's and runs as the system's own
// account. Nobody has tested that yet.
type scm struct{}

func newSCM() (Manager, error) { return scm{}, nil }

// A service that failed is started again after restartAfter; one that ran for the resetAfter seconds counts as new.
const (
	restartAfter = 30 * time.Second
	resetAfter   = 3600
)

// Text is what the manager is told, for people: it has no file.
func (scm) Text(j *Job) (string, error) {
	return fmt.Sprintf("service %s, run as the system's account:\n%s %s\n", Name, j.Program, strings.Join(j.Args, " ")), nil
}

// Install makes the service, in place of one that is there, which it ends.
func (scm) Install(ctx context.Context, j *Job) (*Installed, error) {
	if err := remove(ctx); err != nil && !errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, refused("replace", err)
	}
	if err := create(j); err != nil {
		return nil, refused("install", err)
	}
	return &Installed{Changed: true}, nil
}

// create makes a service that fails whenever its process ends with another status than 0, as Run reports it, and not
// only when that crashes. One that could not be set up is taken back.
func create(j *Job) error {
	manager, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer manager.Disconnect()
	s, err := manager.CreateService(Name, j.Program, mgr.Config{
		DisplayName:      "snapsync",
		Description:      "Keeps remotes true to local directories",
		StartType:        mgr.StartAutomatic,
		DelayedAutoStart: true,
	}, j.Args...)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.SetRecoveryActions([]mgr.RecoveryAction{{Type: mgr.ServiceRestart, Delay: restartAfter}}, resetAfter)
	if err == nil {
		err = s.SetRecoveryActionsOnNonCrashFailures(true)
	}
	if err != nil {
		return errors.Join(err, s.Delete())
	}
	return nil
}

// Uninstall stops the process, if there is one, and removes the service.
func (scm) Uninstall(ctx context.Context) (*Removed, error) {
	err := remove(ctx)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return &Removed{}, nil
	}
	if err != nil {
		return nil, refused("remove", err)
	}
	return &Removed{Found: true}, nil
}

// remove ends the service and deletes it. A service whose process does not end is only marked, and gone with the
// process; until then the manager takes no other of this name.
func remove(ctx context.Context) error {
	return with(windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS|windows.DELETE, func(s *mgr.Service) error {
		_ = stop(ctx, s) // it may not run
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.Delete()
	})
}

// Start has the manager start the process.
func (scm) Start(context.Context) error {
	err := with(windows.SERVICE_START, func(s *mgr.Service) error { return s.Start() })
	if err == nil || errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return nil
	}
	return refused("start", err)
}

// Stop returns when the process has ended.
func (scm) Stop(ctx context.Context) error {
	err := with(windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error { return stop(ctx, s) })
	if err == nil || errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
		return nil
	}
	return refused("stop", err)
}

func stop(ctx context.Context, s *mgr.Service) error {
	status, err := s.Control(svc.Stop)
	for deadline := time.Now().Add(stopTime + 10*time.Second); err == nil && status.State != svc.Stopped; status, err = s.Query() {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return errors.New("it has not ended yet: try again")
		}
		time.Sleep(200 * time.Millisecond)
	}
	return err
}

// Status asks for no right that only an administrator has.
func (scm) Status(context.Context) (*Status, error) {
	st := &Status{State: "stopped"}
	err := with(windows.SERVICE_QUERY_STATUS, func(s *mgr.Service) error {
		status, err := s.Query()
		if err != nil {
			return err
		}
		st.Installed, st.Enabled = true, true
		if status.State == svc.Running || status.State == svc.StartPending {
			st.State = "running"
		}
		return nil
	})
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, refused("look at", err)
	}
	return st, nil
}

// with opens the service with just these rights, so that what needs no administrator does without one, and has
// something done with it.
func with(access uint32, do func(*mgr.Service) error) error {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return fmt.Errorf("reach the service manager: %w", err)
	}
	defer windows.CloseServiceHandle(manager)
	name, err := windows.UTF16PtrFromString(Name)
	if err != nil {
		return err
	}
	handle, err := windows.OpenService(manager, name, access)
	if err != nil {
		return err
	}
	s := &mgr.Service{Name: Name, Handle: handle}
	defer s.Close()
	return do(s)
}

// refused is what the manager would not do.
func refused(verb string, err error) error {
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		return notInstalled(false)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		err = fmt.Errorf("%s the service: %w", verb, err)
		return &exit.Failure{Status: exit.StatusError, Err: err, Hint: "call it as an administrator"}
	}
	return fmt.Errorf("%s the service: %w", verb, err)
}
