package guard

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/snapsync/snapsync/snapshot"
)

// Unmounted says what the remote keeps because the file system that held it is not mounted any more, or is another one; nil:
// nothing. No step deletes that: a person can approve the source as it is now.
func Unmounted(unproven []snapshot.Unproven) *Hold {
	hold := &Hold{Limit: -1}
	var places []string
	for i := range unproven {
		u := &unproven[i]
		if !u.Mount || u.Kept == 0 {
			continue
		}
		inside := func(o string) bool { return snapshot.Beneath(u.Path, o) }
		if slices.ContainsFunc(places, inside) {
			continue // counted there
		}
		places = append(places, u.Path)
		hold.Deletes += u.Kept
		if hold.Why == "" {
			hold.Why = fmt.Sprintf("%s: %s", strconv.Quote(u.Path), u.Reason)
		}
	}
	if len(places) > 1 {
		hold.Why += fmt.Sprintf(", and %d more places", len(places)-1)
	}
	if hold.Deletes == 0 {
		return nil
	}
	return hold
}
