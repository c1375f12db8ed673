package rclone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config"
	"github.com/rclone/rclone/fs/fspath"
)

// Remote is one that rclone's configuration, or its environment, has a name for.
type Remote struct{ Name, Type, Description string }

// Remotes returns the remotes that rclone knows, sorted by name. Init must have run.
func Remotes() []Remote {
	var remotes []Remote
	for _, r := range config.GetRemotes() {
		remotes = append(remotes, Remote{r.Name, r.Type, r.Description})
	}
	slices.SortStableFunc(remotes, func(a, b Remote) int { return strings.Compare(a.Name, b.Name) })
	return remotes
}

// NewRemote lets rclone ask its own questions on the terminal, and adds what it makes to its configuration. Init must
// have run.
func NewRemote(ctx context.Context) (name string, err error) {
	name = config.NewRemoteName()
	return name, config.NewRemote(ctx, name)
}

// ConfigPath is where rclone's configuration is, or would be; "": it has none but in memory.
func ConfigPath() string { return config.GetConfigPath() }

// ConfigDigest identifies what rclone's configuration says of a remote and of those that it leads to, as a crypt does. Tokens are left
// out: rclone renews them by itself. Init must have run.
func ConfigDigest(remote string) string {
	sum, seen := sha256.New(), map[string]bool{}
	var visit func(text string)
	visit = func(text string) {
		p, err := fspath.Parse(text)
		if err != nil || seen[p.Name] {
			return
		}
		seen[p.Name] = true
		values := slices.Collect(maps.Values(p.Config))
		keys := config.Data().GetKeyList(p.Name)
		slices.Sort(keys)
		for _, key := range keys {
			if value, ok := config.Data().GetValue(p.Name, key); ok && key != "token" {
				fmt.Fprintf(sum, "%q %q %q\n", p.Name, key, value)
				values = append(values, strings.Fields(value)...)
			}
		}
		slices.Sort(values)
		for _, value := range values {
			visit(value)
		}
	}
	visit(remote)
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// ParseSize takes bytes in rclone's syntax, such as 10M; "off" is -1.
func ParseSize(text string) (int64, error) {
	var size fs.SizeSuffix
	err := size.Set(text)
	return int64(size), err
}

// ParseAge takes a duration in rclone's syntax, such as 7d, or a date, of which it is the age.
func ParseAge(text string) (time.Duration, error) { return fs.ParseDuration(text) }
