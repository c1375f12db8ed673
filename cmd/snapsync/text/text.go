// Package text has the forms in which values are written: sizes, times, names, steps and plans as people read them on a terminal,
// and as programs read them in JSON.
//
// Whatever it returns for a person is one line, safe to print whatever a file is called. It decides nothing, reads no flag and writes
// nowhere but to the writer that it is given.
package text

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"github.com/snapsync/snapsync/snapshot"
)

// Size says a number of bytes.
func Size(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// Rate says a number of bytes per second.
func Rate(bytesPerSecond float64) string { return Size(int64(bytesPerSecond)) + "/s" }

// Count groups the digits of n by thousands.
func Count(n int64) string { return humanize.Comma(n) }

// Counted says "1 file" or "2 files".
func Counted(n int64, one string) string { return Count(n) + " " + Plural(n, one, one+"s") }

// Plural returns one if n is 1, else many.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Path makes any file name safe to print: one line, no control sequences, quoted where it must be.
func Path(path string) string {
	if path == "" {
		return "."
	}
	if strings.ContainsFunc(path, unprintable) || path != strings.TrimSpace(path) {
		return strconv.Quote(path)
	}
	return path
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != ' ' || r == utf8.RuneError }

// WithoutPath leaves out of an error the path that stands before it anyway: the layers that an error
// passes each name it, and a path can have thousands of bytes.
func WithoutPath(message, path string) string {
	if path == "" {
		return message
	}
	for _, again := range []string{" " + strconv.Quote(path), " " + path + ":"} {
		left := ""
		if strings.HasSuffix(again, ":") {
			left = ":"
		}
		message = replaceUnless(" to", message, again, left) // a move that does not name its target says nothing
	}
	path = string([]rune(path)) // a pattern must be UTF-8; in what it searches, a byte that is not is U+FFFD as well
	here := regexp.QuoteMeta("/" + path)
	if dir, _ := snapshot.Split(path); dir != "" { // the name that it has while it is sent
		here += "|" + regexp.QuoteMeta("/"+dir) + `/\.snapsync-[0-9a-f]+\.\w+`
	}
	absolute := regexp.MustCompile(` (?:[A-Za-z]:)?[/\\]\S*?(?:` + here + `):`)
	return absolute.ReplaceAllLiteralString(message, ":")
}

// replaceUnless replaces old by new in text, but where it follows before.
func replaceUnless(before, text, old, new string) string {
	var b strings.Builder
	for {
		head, tail, found := strings.Cut(text, old)
		b.WriteString(head)
		switch {
		case !found:
			return b.String()
		case strings.HasSuffix(head, before):
			b.WriteString(old)
		default:
			b.WriteString(new)
		}
		text = tail
	}
}

// ShellWord quotes s so that a shell reads it as one word, and a terminal shows it harmlessly.
func ShellWord(s string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("/._-+:,=@%", r)
	}
	odd := func(r rune) bool { return !plain(r) }
	switch {
	case s != "" && !strings.ContainsFunc(s, odd):
		return s
	case strings.ContainsFunc(s, unprintable): // $'…' takes the escapes of Go
		quoted := strconv.Quote(s)
		return "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// DirPath is Path, with a slash at the end if it is that of a directory.
func DirPath(path string, dir bool) string {
	if !dir {
		return Path(path)
	}
	return Path(path + "/")
}

// Time says t in local time, to the second; zero: never.
func Time(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// Ago says a time and how long ago that was, the way people do.
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s (%s)", Time(t), humanize.RelTime(t, now, "ago", "from now"))
}

// seconds says a duration of d seconds.
func seconds(d float64) string {
	switch {
	case d < 10:
		return fmt.Sprintf("%.1fs", d)
	case d < 120:
		return fmt.Sprintf("%.0fs", d)
	}
	return time.Duration(d * float64(time.Second)).Round(time.Second).String()
}

// Age is a duration in at most four cells, for a century.
func Age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%dy", d/(365*24*time.Hour))
}

// ETA is how long so many bytes take at a rate; "": that cannot be said.
func ETA(left int64, bytesPerSecond float64) string {
	if left <= 0 || bytesPerSecond < 1 {
		return ""
	}
	seconds := min(float64(left)/bytesPerSecond, 1e8)
	switch d := time.Duration(seconds * float64(time.Second)).Round(time.Second); {
	case d < time.Hour:
		return d.String()
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return Age(d)
	}
}

// JSONTime is a time as RFC 3339 in UTC, or null.
func JSONTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339Nano)
	return &s
}

// RawName carries the bytes of a name that JSON's strings cannot hold; nil for all others.
func RawName(path string) *string {
	if utf8.ValidString(path) {
		return nil
	}
	s := base64.StdEncoding.EncodeToString([]byte(path))
	return &s
}

// WriteJSON writes one object as one line.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// UTC returns a time for JSON; nil: t is zero.
func UTC(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// AgoOf is Ago for a time that may be unknown: nil.
func AgoOf(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	return Ago(*t, now)
}

// Duration says 1h, not 1h0m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
