package plan

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/snapsync/snapsync/journal"
	"github.com/snapsync/snapsync/snapshot"
)

// The text form of trees in testdata/plans: one entry a line, the path, its kind (f, d or l) and what
// is worth saying about it. Paths are quoted as in Go if they need it.
//
//	a/b.txt f size=3 ino=7 mtime=5 hash=abc
//
//	size=N     bytes; 1 for files by default
//	ino=N      inode; 0, which is no inode, by default
//	dev=N      device; 1 by default
//	mtime=D    seconds since 1970, with a fraction; 1 by default, and 0 for directories
//	ctime=D    the same; equal to mtime by default
//	mode=O     octal; 644, and 755 for directories, by default
//	hash=X     any word; for the base, all files have the hash of their content, by default that of
//	           the path, so that files are different unless said otherwise; hash=- is an unknown one.
//	           In a head it is what reading the file would give
//	md5=X      the same, but a hash of another algorithm, as in an adopted listing
//	adopted    from a listing: no inode, no device, and no hash unless one follows
//	racy, retained
func parseEntries(text string) (entries, error) {
	tree := make(entries)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		path, e, err := parseEntry(line)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if tree[path] != nil {
			return nil, fmt.Errorf("%q: a second time", path)
		}
		tree[path] = e
	}
	return tree, nil
}

func parseEntry(line string) (string, *snapshot.Entry, error) {
	path, rest, _ := strings.Cut(line, " ")
	if strings.HasPrefix(line, `"`) {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return "", nil, err
		}
		path, _ = strconv.Unquote(quoted)
		rest = line[len(quoted):]
	}
	words := strings.Fields(rest)
	if path == "" || len(words) == 0 {
		return "", nil, fmt.Errorf("want a path and a kind")
	}
	e := &snapshot.Entry{Kind: snapshot.File, Size: 1, Mtime: second, Dev: 1, Mode: 0o644}
	switch words[0] {
	case "f":
	case "l":
		e.Kind = snapshot.Symlink
	case "d":
		*e = snapshot.Entry{Kind: snapshot.Dir, Dev: 1, Mode: 0o755}
	default:
		return "", nil, fmt.Errorf("unknown kind %q", words[0])
	}
	if e.Kind != snapshot.Dir {
		e.HashType, e.Hash = snapshot.XXH3, hashWord(path)
	}
	ctime := false
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		ctime = ctime || name == "ctime"
		if err := parseField(e, name, value); err != nil {
			return "", nil, err
		}
	}
	if !ctime {
		e.Ctime = e.Mtime
	}
	return path, e, nil
}

func parseField(e *snapshot.Entry, name, value string) (err error) {
	switch name {
	case "size":
		e.Size, err = strconv.ParseInt(value, 10, 64)
	case "ino":
		e.Ino, err = strconv.ParseUint(value, 10, 64)
	case "dev":
		e.Dev, err = strconv.ParseUint(value, 10, 64)
	case "mtime":
		e.Mtime, err = parseSeconds(value)
	case "ctime":
		e.Ctime, err = parseSeconds(value)
	case "mode":
		var mode uint64
		mode, err = strconv.ParseUint(value, 8, 32)
		e.Mode = uint32(mode)
	case "hash":
		e.HashType, e.Hash = snapshot.XXH3, hashWord(value)
		if value == "-" {
			e.HashType, e.Hash = snapshot.NoHash, snapshot.Hash{}
		}
	case "md5":
		e.HashType, e.Hash = 2, hashWord(value)
	case "racy":
		e.Flags |= snapshot.Racy
	case "retained":
		e.Flags |= snapshot.Retained
	case "adopted":
		e.Flags |= snapshot.Adopted
		e.Ino, e.Dev, e.Mode = 0, 0, 0
		e.HashType, e.Hash = snapshot.NoHash, snapshot.Hash{}
	default:
		err = fmt.Errorf("unknown field %q", name)
	}
	return err
}

func parseSeconds(s string) (int64, error) {
	d, err := time.ParseDuration(s + "s")
	return int64(d), err
}

// hashWord stands for the hash of what a word is the name of.
func hashWord(word string) (h snapshot.Hash) {
	if len(word) <= len(h) {
		copy(h[:], word)
		return h
	}
	for i := range len(word) {
		sum := binary.BigEndian.Uint64(h[:8])*31 + uint64(word[i])
		binary.BigEndian.PutUint64(h[:8], sum|1<<63)
	}
	return h
}

// formatEntry is the reverse of parseEntry, with everything that differs from the defaults.
func formatEntry(path string, e *snapshot.Entry) string {
	var b strings.Builder
	b.WriteString(quotePath(path))
	b.WriteString(" " + map[snapshot.Kind]string{snapshot.File: "f", snapshot.Dir: "d", snapshot.Symlink: "l"}[e.Kind])
	put := func(differs bool, format string, value any) {
		if differs {
			fmt.Fprintf(&b, " "+format, value)
		}
	}
	adopted := ""
	if e.Flags.Has(snapshot.Adopted) {
		adopted = " adopted"
	}
	_, d, err := parseEntry("x " + b.String()[b.Len()-1:] + adopted)
	if err != nil {
		panic(err)
	}
	put(adopted != "", "%s", "adopted")
	put(e.Size != d.Size, "size=%d", e.Size)
	put(e.Ino != d.Ino, "ino=%d", e.Ino)
	put(e.Dev != d.Dev, "dev=%d", e.Dev)
	put(e.Mtime != d.Mtime, "mtime=%s", formatSeconds(e.Mtime))
	put(e.Ctime != e.Mtime, "ctime=%s", formatSeconds(e.Ctime))
	put(e.Mode != d.Mode, "mode=%o", e.Mode)
	switch {
	case e.HashType == snapshot.NoHash:
		put(d.HashType != snapshot.NoHash, "%s", "hash=-")
	case e.Hash != hashWord(path) || e.HashType != d.HashType:
		name := map[bool]string{true: "hash", false: "md5"}[e.HashType == snapshot.XXH3]
		put(true, name+"=%s", strings.TrimRight(string(e.Hash[:]), "\x00"))
	}
	put(e.Flags.Has(snapshot.Racy), "%s", "racy")
	put(e.Flags.Has(snapshot.Retained), "%s", "retained")
	return b.String()
}

func formatSeconds(ns int64) string {
	s := strconv.FormatInt(ns/second, 10)
	if rest := ns % second; rest != 0 {
		s += strings.TrimRight(fmt.Sprintf(".%09d", rest), "0")
	}
	return s
}

func quotePath(path string) string {
	if path == "" || strings.ContainsAny(path, " \"#\t\n\r") || strconv.Quote(path) != `"`+path+`"` {
		return strconv.Quote(path)
	}
	return path
}

// formatPlan prints a plan for people who review it: one step a line, then what the base learns.
func formatPlan(p journal.Plan) string {
	var b strings.Builder
	for i := range p.Steps {
		b.WriteString(formatStep(&p.Steps[i]))
	}
	for _, r := range p.Refresh {
		if r.Entry == nil {
			fmt.Fprintf(&b, "forget %s\n", quotePath(r.Path))
			continue
		}
		fmt.Fprintf(&b, "learn %s\n", formatEntry(r.Path, r.Entry))
	}
	return b.String()
}

func formatStep(s *journal.Step) string {
	line := fmt.Sprintf("%v %s", s.Action, quotePath(s.Path))
	switch {
	case s.Action == journal.Move:
		line = fmt.Sprintf("move %s -> %s", quotePath(s.From), quotePath(s.Path))
	case s.How == journal.Copy:
		line += fmt.Sprintf(" copy of %s", quotePath(s.From))
	case s.Action == journal.Send:
		line += " " + s.How.String()
	}
	if s.Dir && s.How != journal.Mkdir {
		line += " dir"
	}
	if s.Dir && s.Action == journal.Move {
		line += fmt.Sprintf(" files=%d", s.Files)
	}
	line += fmt.Sprintf(" (%v)", s.Reason)
	if s.Held {
		line += " held"
	}
	return line + "\n"
}

// parseOptions reads capabilities and options as words.
func parseOptions(text string) (o options, err error) {
	flags := map[string]*bool{
		"move": &o.caps.Move, "dirmove": &o.caps.DirMove, "copy": &o.caps.Copy, "setmodtime": &o.caps.SetModTime,
		"bucket": &o.caps.BucketBased, "ignorecase": &o.caps.CaseInsensitive, "can-emptydirs": &o.caps.EmptyDirs,
		"can-metadata": &o.caps.Metadata, "can-setmetadata": &o.caps.SetMetadata, "backup": &o.caps.Backup,
		"complete-sync": &o.completeSync, "survived": &o.survived, "emptydirs": &o.emptyDirs, "metadata": &o.metadata,
	}
	for _, word := range strings.Fields(text) {
		if value, ok := strings.CutPrefix(word, "precision="); ok {
			if o.caps.Precision, err = time.ParseDuration(value); err != nil {
				return o, err
			}
			continue
		}
		if value, ok := strings.CutPrefix(word, "covered="); ok {
			o.covered = append(o.covered, value)
			continue
		}
		flag := flags[word]
		if flag == nil {
			return o, fmt.Errorf("unknown capability %q", word)
		}
		*flag = true
	}
	return o, nil
}

func TestEntryTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.OneOf(rapid.StringMatching(`[a-c/]{1,6}`), rapid.StringN(1, 8, 20)).Draw(t, "path")
		e := &snapshot.Entry{
			Kind: rapid.SampledFrom([]snapshot.Kind{snapshot.File, snapshot.Dir, snapshot.Symlink}).Draw(t, "kind"),
			Size: rapid.Int64Range(0, 9).Draw(t, "size"), Dev: rapid.Uint64Range(0, 2).Draw(t, "dev"),
			Ino: rapid.Uint64Range(0, 9).Draw(t, "ino"), Mtime: rapid.Int64Range(0, 1e15).Draw(t, "mtime"),
			Ctime: rapid.Int64Range(0, 1e15).Draw(t, "ctime"), Mode: rapid.Uint32Range(0, 0o7777).Draw(t, "mode"),
			Flags: snapshot.Flags(rapid.IntRange(0, 7).Draw(t, "flags")),
		}
		if e.Kind != snapshot.Dir {
			e.HashType = rapid.SampledFrom([]snapshot.HashType{snapshot.NoHash, snapshot.XXH3, 2}).Draw(t, "type")
		}
		if e.HashType != snapshot.NoHash {
			e.Hash = hashWord(rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "hash"))
		}
		line := formatEntry(path, e)
		gotPath, got, err := parseEntry(line)
		if err != nil || gotPath != path || *got != *e {
			t.Fatalf("%q is read as %q %+v (%v), want %q %+v", line, gotPath, got, err, path, e)
		}
	})
}

// FuzzParseEntry: what can be read at all can be written and read again.
func FuzzParseEntry(f *testing.F) {
	f.Add("a/b.txt f size=3 ino=7 mtime=5 hash=abc")
	f.Add(`"a b" d ino=4 retained`)
	f.Add("x l md5=q racy adopted mtime=1.5 ctime=2")
	f.Fuzz(func(t *testing.T, line string) {
		path, e, err := parseEntry(strings.TrimSpace(line))
		if err != nil || strings.ContainsAny(string(e.Hash[:]), " \n\t\r\f\v\u0085\u00a0") {
			return
		}
		path2, e2, err := parseEntry(formatEntry(path, e))
		if err != nil {
			t.Fatalf("%q is written as %q, which cannot be read: %v", line, formatEntry(path, e), err)
		}
		if path2 != path || *e2 != *e {
			t.Errorf("%q is written as %q, which is something else", line, formatEntry(path, e))
		}
	})
}
