package daemon

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
	"github.com/snapsync/snapsync/cmd/snapsync/steer"
	"github.com/snapsync/snapsync/journal"
)

// RetryPaths completes fakeLoop, which is in daemon_test.go.
func (l *fakeLoop) RetryPaths(paths []string) error {
	l.call("retry:" + strings.Join(paths, ","))
	return nil
}

// Paths of a retry go to the loop in the journal's form, whatever bytes they are of, and only those that
// failed are counted.
func TestDaemonRetriesPaths(t *testing.T) {
	r := newDaemonRig(t, "one", "two")
	l := r.loop("one", 1)
	r.loop("two", 1)
	var failed []journal.Failure
	for _, path := range []string{"a", "d/b", "d/c", "\xff"} {
		failed = append(failed, journal.Failure{Path: path, Class: "error", Message: "no", At: time.Now()})
	}
	if err := l.config.Engine.Journal.Fail(failed); err != nil {
		t.Fatal(err)
	}
	retry := func(paths ...string) (control.Outcome, error) {
		c := steer.WithPaths(control.Command{Name: control.Retry, Mapping: "one"}, paths)
		return r.do(c)
	}
	for _, c := range []struct {
		paths []string
		count int64
		told  string
	}{
		{[]string{"a", "d/"}, 3, "retry:a,d"}, {[]string{"x"}, 0, "retry:x"}, {[]string{"./d/b", "\xff"}, 2, "retry:d/b,\xff"},
		{[]string{"."}, 4, "retry:"}, {nil, 4, "retry"},
	} {
		before := l.called()
		out, err := retry(c.paths...)
		if told := strings.TrimSpace(strings.TrimPrefix(l.called(), before)); err != nil || out.Count != c.count || told != c.told {
			t.Errorf("%q: %+v, %v, told %q", c.paths, out, err, told)
		}
	}
	for _, bad := range []control.Command{
		{Mapping: "one", Paths: []string{"/etc"}}, {Mapping: "one", Paths: []string{"a/../.."}}, {Mapping: "one", PathsBytes: []string{"*"}},
		{Paths: []string{"a"}},
	} {
		bad.Name = control.Retry
		_, err := r.do(bad)
		if e := (*control.Error)(nil); !errors.As(err, &e) || e.Code != http.StatusBadRequest {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
