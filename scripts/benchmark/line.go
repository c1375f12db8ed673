//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// side is one of the servers, as the programs and this disk know it.
type side struct {
	name string // in the table
	port string
	data string                        // where its files are on this disk
	at   func(port, dir string) string // a directory of it, for rclone and snapsync
}

func (s side) remote(dir string) string { return s.at(s.port, dir) }
func (s side) path(dir string) string   { return s.data + "/" + dir }

// via is the same server at the other end of a line.
func (s side) via(port string) side {
	s.port = port
	return s
}

func (b *bench) sftpSide() (side, error) {
	if err := b.startServers(); err != nil {
		return side{}, err
	}
	data := b.at("servers", "data", "sftp")
	port, err := b.port("sftp")
	return side{"SFTP", port, data, func(port, dir string) string { return "tsftp,port=" + port + ":" + data + "/" + dir }}, err
}

func (b *bench) s3Side() (side, error) {
	if err := b.startServers(); err != nil {
		return side{}, err
	}
	port, err := b.port("s3")
	return side{"S3", port, b.at("servers", "data", "s3", "snapsync"), func(port, dir string) string {
		return "ts3,endpoint='http://127.0.0.1:" + port + "':snapsync/" + dir
	}}, err
}

func (b *bench) port(server string) (string, error) {
	text, err := os.ReadFile(b.at("servers", "run", server+".port"))
	return strings.TrimSpace(string(text)), err
}

// known makes the host key of the SFTP server known at another port as well.
func (b *bench) known(port string) error {
	file := b.at("servers", "conf", "known_hosts")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, key, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok {
		return fmt.Errorf("%s: no key in it", file)
	}
	key, _, _ = strings.Cut(key, "\n")
	return os.WriteFile(file, fmt.Appendf(text, "[127.0.0.1]:%s %s\n", port, key), 0o600)
}

// distant puts a server behind a line on which every byte takes so long, each way.
func (b *bench) distant(s side, latency time.Duration) (side, func(), error) {
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(control, s.name, "127.0.0.1:0", "127.0.0.1:"+s.port)
	if err := proxy.Start(); err != nil {
		return s, nil, err
	}
	for _, way := range []string{"upstream", "downstream"} {
		toxic, err := json.Marshal(map[string]any{"type": "latency", "stream": way, "attributes": map[string]int64{"latency": latency.Milliseconds()}})
		if err == nil {
			_, err = proxy.Toxics.AddToxicJson(strings.NewReader(string(toxic)))
		}
		if err != nil {
			proxy.Stop()
			return s, nil, err
		}
	}
	_, port, err := net.SplitHostPort(proxy.Listen)
	return s.via(port), proxy.Stop, errors.Join(err, b.known(port))
}

// counter is a line that counts what is sent to the server.
type counter struct {
	sent   atomic.Int64
	target string
	l      net.Listener
}

func (b *bench) counted(s side) (side, *counter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return s, nil, err
	}
	c := &counter{target: "127.0.0.1:" + s.port, l: l}
	go c.serve()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return s.via(port), c, errors.Join(err, b.known(port))
}

// serve ends with the listener; each connection with its ends.
func (c *counter) serve() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.target)
		if err != nil {
			near.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(near, far)
			near.Close()
		}()
		go func() {
			_, _ = io.Copy(io.MultiWriter(far, (*sent)(c)), near)
			far.Close()
		}()
	}
}

// sent is a counter as a Writer.
type sent counter

func (s *sent) Write(p []byte) (int, error) {
	s.sent.Add(int64(len(p)))
	return len(p), nil
}

// await returns true once so much was sent; false if the program ends before, or the benchmark does.
func (c *counter) await(ctx context.Context, bytes int64, ended <-chan error) bool {
	for c.sent.Load() < bytes {
		select {
		case <-ctx.Done():
			return false
		case <-ended:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return true
}
