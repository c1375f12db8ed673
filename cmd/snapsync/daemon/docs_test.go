package daemon

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/control"
)

// Every object that docs/control.md shows has the fields that there are, and no others.
func TestControlDocs(t *testing.T) {
	data, err := os.ReadFile("../../../docs/control.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	seen := map[string]bool{}
	decode := func(name, object string, into any) {
		t.Helper()
		dec := json.NewDecoder(strings.NewReader(object))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil {
			t.Errorf("%s: %v in %s", name, err, object)
		}
		seen[name] = true
	}
	for _, m := range regexp.MustCompile(`event: (\w+)\n +data: (.*)`).FindAllStringSubmatch(text, -1) {
		into := map[string]any{
			"state": &stateEvent{}, "step": &stepEvent{}, "progress": &progressEvent{}, "cycle": &cycleEvent{}, "error": &errorEvent{},
			"lost": &struct {
				Type  string
				Count int64
			}{},
		}[m[1]]
		if into == nil {
			t.Errorf("there is no event %s", m[1])
			continue
		}
		decode(m[1], m[2], into)
	}
	for _, line := range strings.Split(text, "\n") {
		switch object := strings.TrimSpace(line); {
		case strings.HasPrefix(object, `{"text"`):
			decode("outcome", object, &control.Outcome{})
		case strings.HasPrefix(object, `{"error"`):
			decode("failure", object, &control.Error{})
		case strings.HasPrefix(object, `{"snapsync"`):
			decode("version", object, &control.Version{})
		}
	}
	_, status, _ := strings.Cut(text, `{"event":`)
	status, _, _ = strings.Cut(`{"event":`+status, "\n\n")
	decode("status", status, &control.StatusReply{})
	for _, command := range control.Commands {
		if !strings.Contains(text, "http://snapsync/v1/"+command+"\n") {
			t.Errorf("no example of %s", command)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d kinds of objects were found, want 10: %v", len(seen), seen)
	}
}
