package guard

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxDelete is the limit of --max-delete: a number of files, or a percentage of the files in the
// base. The zero value is 50 %, for a base of at least 10 files: in a smaller one, half is nothing
// unusual.
type MaxDelete struct {
	n       int64
	percent bool
	set     bool
}

const (
	defaultMaxDeletePercent = 50
	defaultMaxDeleteFloor   = 10
)

// ParseMaxDelete parses "100" or "20%".
func ParseMaxDelete(s string) (MaxDelete, error) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || percent && n > 100 {
		return MaxDelete{}, fmt.Errorf("max-delete %q: want a number of files such as 100, or a percentage such as 20%%", s)
	}
	return MaxDelete{n: n, percent: percent, set: true}, nil
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

// everything reports whether a person said that all may go: 100%.
func (m MaxDelete) everything() bool { return m.percent && m.n == 100 }

// limit returns how many files may be deleted from a base of so many, and false for no limit.
func (m MaxDelete) limit(files int64) (int64, bool) {
	switch {
	case !m.set && files < defaultMaxDeleteFloor:
		return 0, false
	case !m.set:
		return files * defaultMaxDeletePercent / 100, true
	case m.percent:
		return files * m.n / 100, true
	}
	return m.n, true
}
