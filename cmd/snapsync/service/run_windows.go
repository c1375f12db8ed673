package service

import (
	"context"

	"golang.org/x/sys/windows/svc"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// Run runs work in the protocol of the service manager if that started this process, and reports whether it did. The
// status is that of work. Stop and Shutdown cancel its context.
func Run(work func(context.Context) int) (status int, ours bool) {
	if is, err := svc.IsWindowsService(); err != nil || !is {
		return 0, false
	}
	p := &process{work: work}
	if err := svc.Run(Name, p); err != nil {
		return exit.StatusError, true
	}
	return p.status, true
}

// process is one that the manager started.
type process struct {
	work   func(context.Context) int
	status int // once Execute has returned
}

// Execute implements svc.Handler: work has begun when the manager is told that the service runs, and has ended when it
// is told that it stopped. Its status is an exit code of the service's own, but of a service that was told to stop
// always 0: only one that ended by itself has failed, and is started again.
func (p *process) Execute(_ []string, requests <-chan svc.ChangeRequest, report chan<- svc.Status) (ownCode bool, code uint32) {
	report <- svc.Status{State: svc.StartPending}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- p.work(ctx) }()
	report <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case p.status = <-ended:
			if ctx.Err() != nil {
				return false, 0
			}
			return true, uint32(p.status)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				report <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				cancel()
				report <- svc.Status{State: svc.StopPending, WaitHint: uint32(stopTime.Milliseconds())}
			}
		}
	}
}
