package daemon

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// sdnotify tells the service manager how this process stands, in the protocol of sd_notify(3): one
// datagram of NAME=VALUE lines for each message, to the socket that NOTIFY_SOCKET names. Without that
// variable nobody listens, and every method does nothing. A run that stays uses it like this:
//
//	n := newSdnotify(log)
//	go n.Watchdog(ctx, alive)   ends with ctx, or at once if no watchdog is set
//	n.Ready()                   as soon as every mapping is looked after, not when it is synced
//	n.Status("2 mappings idle") whenever that changes
//	n.Reloading() … n.Ready()   around a reload
//	n.Stopping()                when draining begins
//
// Its methods may be called from several goroutines.
type sdnotify struct {
	listens bool          // somebody does
	period  time.Duration // within which the watchdog wants a sign of life; 0: there is none
	log     *slog.Logger

	mu     sync.Mutex
	status string // said last
	failed bool   // a message was lost, and the log says so
}

func newSdnotify(log *slog.Logger) *sdnotify {
	n := &sdnotify{listens: os.Getenv("NOTIFY_SOCKET") != "", log: log}
	var err error
	if n.period, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Error("no watchdog: "+err.Error(), "remedy", "check WatchdogSec= of the unit")
	}
	return n
}

// Ready says that start-up, or a reload, is over.
func (n *sdnotify) Ready() { n.send(daemon.SdNotifyReady) }

// Reloading says that the configuration is being read again. Ready has to follow.
func (n *sdnotify) Reloading() { n.send(daemon.SdNotifyReloading) }

// Stopping says that what is under way is being finished, and nothing begun.
func (n *sdnotify) Stopping() { n.send(daemon.SdNotifyStopping) }

// Status says in a line what `systemctl status` shows. The same line twice is sent once.
func (n *sdnotify) Status(text string) {
	text = strings.Join(strings.Fields(text), " ") // a line break would begin another assignment
	n.mu.Lock()
	said := n.status == text
	n.status = text
	n.mu.Unlock()
	if !said {
		n.send("STATUS=" + text)
	}
}

// Watchdog gives signs of life until ctx is done, three in each period, as long as alive reports nil.
// It calls alive from this goroutine, so that one which never returns is a process that is not alive:
// the manager ends it then, with a signal that makes Go print where every goroutine stood.
func (n *sdnotify) Watchdog(ctx context.Context, alive func() error) {
	if !n.listens || n.period == 0 {
		return
	}
	tick := time.NewTicker(n.period / 3)
	defer tick.Stop()
	ailing := false
	for {
		err := alive()
		switch {
		case err == nil:
			n.send(daemon.SdNotifyWatchdog)
		case !ailing:
			n.log.Error("not alive: "+err.Error(), "remedy", "the service manager restarts this process if that lasts", "within", n.period)
		}
		ailing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// send drops what cannot be delivered: the work goes on without a listener.
func (n *sdnotify) send(state string) {
	if !n.listens {
		return
	}
	_, err := daemon.SdNotify(false, state)
	n.mu.Lock()
	tell := err != nil && !n.failed
	n.failed = err != nil
	n.mu.Unlock()
	if tell {
		n.log.Error("the service manager cannot be told: "+err.Error(), "socket", os.Getenv("NOTIFY_SOCKET"))
	}
}
