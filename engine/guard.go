package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxDelete is the limit of --max-delete: a number of files, or a percentage of the base.
// The zero value is DefaultMaxDelete.
type MaxDelete struct {
	n       int64
	percent bool
	set     bool
}

// DefaultMaxDelete holds a plan that deletes more than half of a base of at least
// maxDeleteFloor files.
const (
	defaultMaxDeletePercent = 50
	maxDeleteFloor          = 10
)

// ParseMaxDelete parses "100" or "20%".
func ParseMaxDelete(s string) (MaxDelete, error) {
	m := MaxDelete{set: true}
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || percent && n > 100 {
		return MaxDelete{}, fmt.Errorf("max-delete %q: want a number of files such as 100, or a percentage such as 20%%", s)
	}
	m.n, m.percent = n, percent
	return m, nil
}

func (m MaxDelete) String() string {
	switch {
	case !m.set:
		return strconv.Itoa(defaultMaxDeletePercent) + "%"
	case m.percent:
		return strconv.FormatInt(m.n, 10) + "%"
	}
	return strconv.FormatInt(m.n, 10)
}
