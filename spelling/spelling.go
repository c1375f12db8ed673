// Package spelling finds the word that a person may have meant.
package spelling

import "strings"

// Nearest returns the one of names that a person may have meant by typed; "": none is near.
func Nearest(typed string, names []string) string {
	typed = strings.ToLower(typed)
	best, limit := "", max(1, len(typed)/3)+1
	for _, name := range names {
		d := distance(typed, name)
		if d > 0 && len(typed) >= 4 && (strings.HasPrefix(name, typed) || strings.HasPrefix(typed, name)) {
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
