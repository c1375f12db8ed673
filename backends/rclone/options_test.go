package rclone

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs"
)

// TestCheckOptions compares with Context, which says the same of the same options, and looks whether anything stays set.
func TestCheckOptions(t *testing.T) {
	of := func() string {
		s3, err := fs.Find("s3")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(s3.Options.Get("chunk_size").Value, fs.GetConfig(t.Context()).Checkers)
	}
	before := of()
	for _, tt := range []struct{ name, value, want string }{
		{"checkers", "7", ""},
		{"--low-level-retries", "3", ""},
		{"checkers", "many", "checkers"},
		{"s3-chunk-size", "7Mi", ""},
		{"s3_chunk_size", "seven", "s3_chunk_size"},
		{"no-such", "1", "rclone help flags"},
		{"dry-run", "true", "snapsync plan"},
		{"immutable", "true", "not here"},
		{"fast-list", "true", ""},
		{"exclude", "x", "--exclude"},
		{"copy-links", "true", "--copy-links"},
	} {
		err := CheckOptions(map[string]string{tt.name: tt.value})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%s: got %v, want something about %q", tt.name, tt.value, err, tt.want)
		}
		if now := of(); now != before {
			t.Errorf("%s=%s: it was %s and is %s", tt.name, tt.value, before, now)
		}
		if tt.want == "" {
			continue // Context would set it
		}
		if _, other := Context(t.Context(), Options{Options: map[string]string{tt.name: tt.value}}); other == nil || other.Error() != err.Error() {
			t.Errorf("%s=%s: Context says %v, CheckOptions %v", tt.name, tt.value, other, err)
		}
	}
}
