// Package spelling finds the word that a person may have meant.
package spelling

import "strings"

// Meant returns the one of names that a person may have meant by typed, or else what answer, which may be nil, says of typed.
// Another spelling of a name, complete_sync, goes before an answer; a near miss, max-depth for max-delete, after it.
func Meant(typed string, names []string, answer func(typed string) string) (name, said string) {
	near := Nearest(typed, names)
	if answer != nil && folded(near) != folded(typed) {
		if said = answer(typed); said != "" {
			return "", said
		}
	}
	return near, ""
}

// folded is a name as all its spellings have it.
func folded(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// Nearest returns the one of names that a person may have meant by typed; "": none is near.
func Nearest(typed string, names []string) string {
	typed = folded(typed)
	best, limit := "", max(1, len(typed)/3)+1
	for _, name := range names {
		to := folded(name)
		d := distance(typed, to)
		if d > 0 && len(typed) >= 4 && (strings.HasPrefix(to, typed) || strings.HasPrefix(typed, to)) {
			d = 1 // "delay" for "delay-of-something"
		}
		if d < limit {
			best, limit = name, d
		}
	}
	return best
}

// distance counts the letters to insert, drop, replace or swap with their neighbour.
func distance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
