package settings

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/console"
	"github.com/snapsync/snapsync/cmd/snapsync/mapping"
	"github.com/snapsync/snapsync/snapshot"
)

// OwnFiles are the files that this process writes what it says to: its log file, and stdout and stderr where they are files. Where
// one lies in a source, to mirror it would be something to say, and so something to mirror, for ever.
type OwnFiles struct {
	output []string // real paths of stdout and stderr

	mu  sync.RWMutex
	log string // that of the log file; "": there is none
}

// FindOwn returns the files that a process with this log file and these outputs writes to.
func FindOwn(logFile string, outputs ...io.Writer) *OwnFiles {
	o := &OwnFiles{log: realLog(logFile)}
	for _, w := range outputs {
		if path := pathOf(console.File(w)); path != "" {
			o.output = append(o.output, path)
		}
	}
	return o
}

// SetLog makes path the log file; "": there is none.
func (o *OwnFiles) SetLog(path string) {
	real := realLog(path)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = real
}

func realLog(path string) string {
	if path == "" {
		return ""
	}
	if real, err := mapping.RealPath(path); err == nil {
		return real
	}
	return path
}

// pathOf returns the real path of an open regular file; "": f is none, or that cannot be told.
func pathOf(f *os.File) string {
	if f == nil {
		return ""
	}
	is, err := f.Stat()
	if err != nil || !is.Mode().IsRegular() {
		return ""
	}
	home, _ := os.UserHomeDir()
	kernel, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	for _, path := range []string{kernel, "nohup.out", filepath.Join(home, "nohup.out")} { // where nohup writes to
		at, err := os.Stat(path)
		if err != nil || !os.SameFile(is, at) {
			continue
		}
		if real, err := mapping.RealPath(path); err == nil {
			return real
		}
	}
	return ""
}

// Has reports whether a path of a source is one of the files.
func (o *OwnFiles) Has(source, path string) bool {
	path = filepath.FromSlash(path)
	for _, own := range o.all() {
		if strings.HasSuffix(own, path) && own == filepath.Join(source, path) {
			return true
		}
	}
	return false
}

// inside returns the files that lie in a source.
func (o *OwnFiles) inside(source string) (found []string) {
	for _, own := range o.all() {
		if _, in := mapping.Within(source, own); in {
			found = append(found, own)
		}
	}
	return found
}

func (o *OwnFiles) all() []string {
	if o == nil {
		return nil
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.log == "" {
		return o.output
	}
	return append(o.output[:len(o.output):len(o.output)], o.log)
}

// withoutOwn is a filter that also leaves out the files of this process.
type withoutOwn struct {
	snapshot.Filter // nil: everything else belongs
	source          string
	own             *OwnFiles
}

// lessOwn returns the filter of a source, less the files of this process that lie in it. The log names them.
func (r *Resolver) lessOwn(source string, filter snapshot.Filter) snapshot.Filter {
	found := r.Own.inside(source)
	if len(found) == 0 {
		return filter
	}
	for _, own := range found {
		r.Log.Log(r.Ctx, console.LevelNotice, "left out: this process writes what it says there", "file", own)
	}
	return withoutOwn{filter, source, r.Own}
}

func (w withoutOwn) File(path string, size int64, mtime time.Time) bool {
	return !w.own.Has(w.source, path) && (w.Filter == nil || w.Filter.File(path, size, mtime))
}

// Unwrap is for TellYoung.
func (w withoutOwn) Unwrap() snapshot.Filter { return w.Filter }

func (w withoutOwn) Dir(path string) bool { return w.Filter == nil || w.Filter.Dir(path) }

func (w withoutOwn) Markers() []string {
	if w.Filter == nil {
		return nil
	}
	return w.Filter.Markers()
}
