package service

import (
	"context"
	"slices"
	"testing"

	"golang.org/x/sys/windows/svc"
)

// The manager is told that the process runs, that it ends, and how it ended: of itself, which is a failure unless its
// status is 0, or because it was told to.
func TestProtocolOfWindows(t *testing.T) {
	untilTold := func(ctx context.Context) int { <-ctx.Done(); return 130 }
	for name, c := range map[string]struct {
		work    func(context.Context) int
		asked   []svc.Cmd
		told    []svc.State
		ownCode bool
		code    uint32
		status  int
	}{
		"ends":     {work: func(context.Context) int { return 0 }, told: []svc.State{svc.StartPending, svc.Running}, ownCode: true},
		"fails":    {work: func(context.Context) int { return 7 }, told: []svc.State{svc.StartPending, svc.Running}, ownCode: true, code: 7, status: 7},
		"stop":     {untilTold, []svc.Cmd{svc.Stop}, []svc.State{svc.StartPending, svc.Running, svc.StopPending}, false, 0, 130},
		"shutdown": {untilTold, []svc.Cmd{svc.Shutdown}, []svc.State{svc.StartPending, svc.Running, svc.StopPending}, false, 0, 130},
		"asked": {untilTold, []svc.Cmd{svc.Interrogate, svc.ParamChange, svc.Stop},
			[]svc.State{svc.StartPending, svc.Running, svc.Running, svc.StopPending}, false, 0, 130},
	} {
		t.Run(name, func(t *testing.T) {
			requests, report, done := make(chan svc.ChangeRequest), make(chan svc.Status), make(chan struct{})
			p := &process{work: c.work}
			var ownCode bool
			var code uint32
			go func() {
				defer close(done)
				ownCode, code = p.Execute(nil, requests, report)
			}()
			var told []svc.Status
			for asked, running := c.asked, true; running; {
				var next svc.ChangeRequest
				to := requests
				if len(told) < 2 || len(asked) == 0 {
					to = nil
				} else {
					next = svc.ChangeRequest{Cmd: asked[0], CurrentStatus: told[len(told)-1]}
				}
				select {
				case s := <-report:
					told = append(told, s)
				case to <- next:
					asked = asked[1:]
				case <-done:
					running = false
				}
			}
			var states []svc.State
			for _, s := range told {
				states = append(states, s.State)
			}
			if !slices.Equal(states, c.told) {
				t.Errorf("told %v, want %v", states, c.told)
			}
			if told[1].Accepts != svc.AcceptStop|svc.AcceptShutdown {
				t.Errorf("while it runs it accepts %v", told[1].Accepts)
			}
			if ownCode != c.ownCode || code != c.code || p.status != c.status {
				t.Errorf("ended with %v, %d; the process with %d", ownCode, code, p.status)
			}
		})
	}
}
