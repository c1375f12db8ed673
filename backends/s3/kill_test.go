package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/snapsync/snapsync/backends"
)

// With -s3.kills=50 -s3.size=300 TestKilled shows the figures of the README.
var (
	kills   = flag.Int("s3.kills", 3, "how often TestKilled kills a sender")
	sizeMiB = flag.Int("s3.size", 48, "MiB of the file that is sent")
)

// childTask makes the test binary a process that sends one file until it is killed.
const childTask = "SNAPSYNC_TEST_S3_CHILD"

type task struct {
	Remote, Diary, BwLimit string
	Size                   int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childTask); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(text string) error {
	var k task
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return err
	}
	d := readDiary(k.Diary)
	c, err := backends.Open(context.Background(), backends.Config{
		Remote: k.Remote, Uploads: d, BwLimit: k.BwLimit, Wait: time.Minute, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return c.Send(context.Background(), "big", source(content(k.Size)))
}

// TestKilled kills a sender with SIGKILL at a random moment and starts it again: no more is sent in all
// than the file and what was in flight.
func TestKilled(t *testing.T) {
	const megabytes = 1 << 20
	size := *sizeMiB * megabytes
	speed := 40 // MiB/s
	p := newProxy(t, scratch(t))
	want := content(size)
	var extra []int
	for len(extra) < *kills {
		diary := filepath.Join(t.TempDir(), "uploads")
		k := task{with(p.remote, "upload_cutoff=0"), diary, fmt.Sprintf("%dM", speed), size}
		p.expect(nil)
		moment := time.Duration(rand.Int64N(int64(time.Second) * int64(*sizeMiB) / int64(speed)))
		kill(t, k, p, moment)
		before := p.sent()
		if d := readDiary(diary); before >= int64(size) && len(d.all) == 0 {
			must(t, check(t, p, want)) // it was faster
			continue
		}
		kill(t, k, nil, 0)
		must(t, check(t, p, want))
		if d := readDiary(diary); len(d.all) > 0 {
			t.Errorf("remembered: %v", d.all)
		}
		extra = append(extra, int(p.sent())-size)
		t.Logf("killed after %v: %d MiB before, %d MiB after, %.1f MiB more than the file",
			moment.Round(time.Millisecond), before>>20, (p.sent()-before)>>20, float64(extra[len(extra)-1])/megabytes)
		opt := dial(t, backends.Config{Remote: k.Remote}).opt
		inFlight := opt.UploadConcurrency * int(opt.ChunkSize)
		if extra[len(extra)-1] > inFlight+megabytes {
			t.Errorf("%d bytes more than the file, and only %d were in flight", extra[len(extra)-1], inFlight)
		}
	}
	slices.Sort(extra)
	t.Logf("%d kills, MiB sent beyond the size of %d: least %.1f, median %.1f, 90%% %.1f, most %.1f", len(extra), *sizeMiB,
		float64(extra[0])/megabytes, float64(extra[len(extra)/2])/megabytes,
		float64(extra[len(extra)*9/10])/megabytes, float64(extra[len(extra)-1])/megabytes)
}

// kill runs a sender, and with a proxy kills it some time after its first byte; else it must succeed.
func kill(t *testing.T, k task, p *proxy, moment time.Duration) {
	t.Helper()
	text, err := json.Marshal(k)
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+string(text))
	var said bytes.Buffer
	cmd.Stderr = &said
	must(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	if p == nil {
		if err := <-done; err != nil {
			t.Fatalf("%v: %s", err, &said)
		}
		return
	}
	for p.seen()["part"] == 0 && len(done) == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-time.After(moment):
		must(t, cmd.Process.Kill())
		<-done
	case <-done: // it was faster
	}
}

func check(t *testing.T, p *proxy, want []byte) error {
	got, err := download(t, p.remote, "big")
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(want))
	}
	return err
}
