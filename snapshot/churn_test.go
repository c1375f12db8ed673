package snapshot

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// TestScanWhileEdited scans a tree while others work in the same directories. What they leave alone
// must be reported neither as removed nor as changed, and nothing may become a problem.
func TestScanWhileEdited(t *testing.T) {
	eachSystem(t, func(t *testing.T, r *rig) {
		for d := range 5 {
			for f := range 20 {
				r.write(fmt.Sprintf("d%d/still%02d", d, f))
			}
		}
		r.sync()
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			churn(r.cfg.Root, stop)
		}()
		defer func() { close(stop); <-done }()
		seen := 0
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			head := r.scan()
			seen += len(head.Changes)
			for _, c := range head.Changes {
				if c.New == nil || !strings.Contains(c.Path, "churn") {
					t.Fatalf("change of what nobody touched: %s", c.Path)
				}
			}
			if len(head.Problems)+len(head.Unproven) > 0 {
				t.Fatalf("problems %v, unproven %v", head.Problems, head.Unproven)
			}
		}
		if seen == 0 {
			t.Error("no scan saw any of the edits")
		}
	})
}

// churn makes, renames and removes files and directories beside those that stay, until stopped.
func churn(root string, stop <-chan struct{}) {
	name := func() string { return fmt.Sprintf("%s/d%d/churn%d", root, rand.N(5), rand.N(40)) }
	for {
		select {
		case <-stop:
			return
		default:
		}
		switch p := name(); rand.N(5) {
		case 0:
			os.WriteFile(p, []byte(p), 0o644)
		case 1:
			os.MkdirAll(p+"/churn/deep", 0o755)
		case 2:
			os.RemoveAll(p)
		case 3:
			os.Rename(p, name())
		case 4:
			os.Symlink("churn1", p)
		}
	}
}
