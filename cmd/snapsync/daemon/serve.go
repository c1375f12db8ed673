package daemon

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

// serve listens on the control socket, and on addr if there is one. Without a socket the process does
// its work all the same, and says so.
func (d *process) serve(addr string) (stop func(), err error) {
	var group sync.WaitGroup
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
		group.Wait()
	}
	if err := d.movePort(addr); err != nil {
		return nil, err
	}
	ends = append(ends, func() {
		d.steer.Lock()
		defer d.steer.Unlock()
		d.port.close()
	})
	l, err := d.listen()
	if err != nil {
		d.Log.Error("no control socket: "+err.Error(), "remedy", "set XDG_RUNTIME_DIR to a directory of yours; until then pause, sync and the like need the process stopped")
		return stop, nil
	}
	d.socket = l.Path()
	server := control.NewServer(d, d.feed, d.metrics.handler(), d.Log)
	group.Go(func() { d.ended("control socket", server.Serve(l)) })
	ends = slices.Insert(ends, 0, func() {
		ctx, cancel := context.WithTimeout(context.Background(), replyTime)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			d.Log.Debug("control socket", "err", err)
		}
	})
	return stop, nil
}

func (d *process) ended(what string, err error) {
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		d.Log.Error(what+": "+err.Error(), "remedy", "restart the process; the mappings are kept up to date all the same")
	}
}

// metricsPort answers Prometheus, and nobody else, on a port.
type metricsPort struct {
	addr   string
	server http.Server
	ended  chan struct{}
}

// movePort has metrics answered at addr, and nowhere else; "": nowhere. After an error all is as it was.
// The caller holds steer.
func (d *process) movePort(addr string) error {
	if d.port != nil && d.port.addr == addr {
		return nil
	}
	next, err := d.openPort(addr)
	if err != nil && d.port != nil { // the old one may be what is in the way
		was := d.port.addr
		d.port.close()
		if next, err = d.openPort(addr); err != nil {
			d.port, _ = d.openPort(was)
			return err
		}
	}
	if err != nil {
		return err
	}
	d.port.close()
	d.port = next
	return nil
}

// openPort returns nil for no address.
func (d *process) openPort(addr string) (*metricsPort, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, exit.Usage("another process may have the port", "--metrics-addr: %w", err)
	}
	mux := http.NewServeMux() // nothing else is answered there
	mux.Handle("GET /metrics", d.metrics.handler())
	p := &metricsPort{
		addr: addr, ended: make(chan struct{}),
		server: http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10},
	}
	go func() {
		defer close(p.ended)
		d.ended("metrics", p.server.Serve(l))
	}()
	return p, nil
}

// close does nothing if there is no port, or none any more.
func (p *metricsPort) close() {
	if p == nil {
		return
	}
	p.server.Close()
	<-p.ended
}

// listen makes the control socket in the first place that will do.
func (d *process) listen() (*control.Listener, error) {
	states, err := d.States()
	if err != nil {
		return nil, err
	}
	var failed error
	for _, dir := range control.Dirs(states.Root) {
		if parent := filepath.Dir(dir); parent == filepath.Clean(os.Getenv("XDG_RUNTIME_DIR")) && !control.Own(parent) {
			continue
		}
		l, err := control.Listen(dir)
		if err == nil {
			return l, nil
		}
		failed = cmp.Or(failed, err)
		level := slog.LevelDebug
		if errors.Is(err, control.ErrForeign) {
			level = slog.LevelWarn
		}
		d.Log.Log(d.Ctx, level, "the control socket is made elsewhere", "dir", dir, "err", err)
	}
	return nil, failed
}
