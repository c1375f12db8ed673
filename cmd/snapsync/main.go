// rclone's own settings for the standard library; a main package does not inherit them.
//
//go:debug multipathtcp=0
//go:debug x509negativeserial=1

// Command snapsync keeps a remote true to a local directory, one way.
//
// Here and in the packages beneath, and nowhere else, flags, the environment, the home directory and the terminal are known.
// They become the Config structs of the other packages, and what comes back is shown.
//
//	main.go      start-up, signals, the last line of defence
//	cli.go       the commands and how the command line is parsed
//	world.go     what every command gets, and what several of them do
//	preview.go   a plan, as plan and run --dry-run show it
//	NAME.go      the command NAME; NAME_*.go, follow.go and progress.go are parts of one (see house_test.go)
//
//	settings/    which mappings a command line means, and what its flags mean for the libraries
//	mapping/     a source and a remote with their state: found, locked, opened
//	status/      how a mapping stands
//	steer/       what a person decides, asked of a process or applied to the state
//	daemon/      run when it stays; control/ its socket, view/ its picture, service/ who starts it
//	wizard/      config init; config/ the file that it extends
//	help/        pages of --help; complete/ what completion scripts ask
//	replay/      history between two snapshots → what differs, for diff
//	console/     output, log and questions; text/ how values are written; exit/ what errors end with
//
// The packages beneath have what a person means (settings), a mapping and its state (mapping), how it stands (status), what
// is decided about it (steer), and the process that stays (daemon).
//
// What the package guarantees: exactly one object per line on stdout with --json and nothing else there;
// messages for people on stderr, lower-case, with a hint where there is a remedy; the exit statuses of
// the manual; `plan` leaves no trace on any disk; a second process on a mapping changes nothing.
// What the package leaves to others: all decisions about what to transfer.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	_ "github.com/snapsync/snapsync/backends/all" // every remote that rclone knows
	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/exit"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/cmd/snapsync/service"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // a little CPU for a heap that stays close to what is live: a sync runs beside the work that it protects
	}
	dropEmptyVariables()
	work := func(ctx context.Context) int {
		stdout, stderr := &console.Output{File: os.Stdout}, &console.Output{File: os.Stderr}
		defer stdout.Close()
		defer stderr.Close()
		return start(ctx, os.Args[1:], text.Safe{Writer: stdout}, text.Safe{Writer: stderr})
	}
	status, ok := service.Run(work)
	if !ok {
		ctx, stop := interruptible()
		status = work(ctx)
		stop()
	}
	os.Exit(status)
}

// start runs one command line and returns its exit status. A panic becomes a message: what the
// journal holds is as safe as after a crash, and a person is told so.
func start(ctx context.Context, args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "snapsync: internal error: %v\n", r)
			fmt.Fprintln(stderr, "hint: the state is safe, and the next run continues from it; please report this with SNAPSYNC_TRACE=1 set")
			if os.Getenv("SNAPSYNC_TRACE") != "" {
				stderr.Write(debug.Stack())
			}
			status = exit.StatusError
		}
	}()
	err := execute(ctx, args, stdout, stderr)
	if ctx.Err() != nil && err != nil && !errors.As(err, new(*exit.Failure)) {
		err = &exit.Failure{Status: exit.StatusInterrupted, Err: exit.ErrInterrupted, Hint: "what was done is recorded; the next run continues"}
	}
	return exit.Report(stderr, err)
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels, so that what is under way
// ends cleanly. The second one ends the process at once: the journal copes with that too. So does what takes
// much longer than it should: a file system may not answer any more.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel()
		select {
		case _, again := <-signals:
			if !again {
				return // it ends
			}
		case <-time.After(2 * mapping.DrainTime):
		}
		os.Exit(exit.StatusInterrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel()
	}
}

// dropEmptyVariables makes SNAPSYNC_X= mean what it means to people: not set.
func dropEmptyVariables() {
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); value == "" && strings.HasPrefix(name, "SNAPSYNC_") {
			os.Unsetenv(name)
		}
	}
}
