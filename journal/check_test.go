package journal

import (
	"context"
	"strings"
	"testing"
)

// TestCheckFinds breaks a sound journal in every way that Check knows.
func TestCheckFinds(t *testing.T) {
	for name, c := range map[string]struct{ sql, want string }{
		"entry":          {"UPDATE base SET entry = x'00' WHERE name = 'f'", `The base of "d/f" is impossible`},
		"kind":           {"UPDATE base SET entry = CAST(x'01ff' || substr(entry, 3) AS BLOB) WHERE name = 'f'", `The base of "d/f" is impossible`},
		"no parent":      {"DELETE FROM base WHERE name = 'd'", `holds something in "d", but not "d" itself`},
		"file as parent": {"INSERT INTO base SELECT 'g', 'x', entry FROM base WHERE name = 'f'", `holds something in "g", which is a file`},
		"name":           {"UPDATE base SET name = 'x/y' WHERE name = 'f'", `impossible path, directory "d" and name "x/y"`},
		"empty name":     {"UPDATE base SET name = '' WHERE name = 'f'", "impossible path"},
		"dots":           {"UPDATE base SET name = '..' WHERE name = 'f'", "impossible path"},
		"totals":         {"UPDATE counter SET files = 7", "totals of the base are kept as {Files:7"},
		"temporary":      {"UPDATE base SET name = '.snapsync-0123456789abcdef.tmp' WHERE name = 'f'", "temporary name"},
		"partial":        {"UPDATE base SET name = '.snapsync-0123456789abcdef.partial' WHERE name = 'f'", "temporary name"},
		"claim":          {"UPDATE counter SET claimed = 99", "Steps up to 99 are claimed"},
		"step number":    {"UPDATE step SET seq = 99 WHERE path = 'p'", "Step 99 has a number above the last one"},
		"step action":    {"UPDATE step SET action = 9 WHERE path = 'p'", "is impossible"},
		"step entry":     {"UPDATE step SET new = x'02' WHERE path = 'p'", "is impossible"},
		"step path":      {"UPDATE step SET path = '/p' WHERE path = 'p'", "is impossible"},
		"step lost":      {"DELETE FROM step WHERE path = 'p'", "backlog counts 2 steps, 1 of them held"},
		"step released":  {"UPDATE step SET held = 0", "backlog counts 2 steps, 1 of them held"},
		"backlog lost":   {"DELETE FROM backlog", "backlog misses 2 steps"},
		"history entry":  {"UPDATE history SET after = x'03'", "history is impossible"},
		"history cycle":  {"UPDATE history SET cycle = 77", "rows of cycle 77"},
		"cycle order":    {"UPDATE cycle SET first_history = 99 WHERE id = 1", "rows of cycle 1, which does not exist or starts later"},
		"cycle open":     {"UPDATE cycle SET ended = 0", "Cycle 1 has not ended, but a later one has begun"},
		"outbox range":   {"UPDATE outbox SET last = 99", "outbox range 1 to 99 is not in the history"},
		"outbox overlap": {"INSERT INTO outbox VALUES (2, 2)", "overlaps"},
		"failure":        {"INSERT INTO failure VALUES ('x', '', '', 0, 1, 1)", `failure of "x"`},
		"failure's time": {"INSERT INTO failure VALUES ('x', '', '', 1, 2, 1)", `failure of "x"`},
		"upload part":    {"PRAGMA foreign_keys = OFF; INSERT INTO upload_part VALUES ('x', 1, 1, '', x'')", "upload_part refers to a row of upload"},
		"upload source":  {"UPDATE upload SET source = x'00'", `source of the unfinished upload of "big" is impossible`},
		"upload size":    {"UPDATE upload_part SET size = 2 WHERE number = 1", "have 11 bytes, but its source has 10"},
		"upload path":    {"PRAGMA foreign_keys = OFF; UPDATE upload SET path = '/big'; UPDATE upload_part SET path = '/big'", `upload of "/big" is impossible`},
		"upload time":    {"UPDATE upload SET last = began - 1", "ended before it began"},
		"part number":    {"UPDATE upload_part SET number = 0 WHERE number = 1", `upload of "big" has a part without a number`},
		"part too large": {"UPDATE upload SET part_size = 5", "above its part size, 5"},
		"document":       {"UPDATE document SET json = replace(json, 'adopted', 'adoptee')", `document of "engine" is impossible`},
		"document owner": {"UPDATE document SET owner = 'somebody'", `document of "somebody" is impossible: nobody has this name`},
		"missing table":  {"DROP TABLE outbox", "no such table"},
		"wrong type":     {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'message TEXT', 'message INTEGER') WHERE name = 'failure'", "structure is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			j, path := newJournal(t)
			run(t, j, send("d/f", file(1)), send("g", file(2)))
			held := remove("q", file(1))
			held.Held = true
			_, err := j.Begin(Plan{Steps: []Step{send("p", file(1)), held}}, nil, noon)
			must(t, err)
			must(t, j.Fail([]Failure{{"p", "c", "m", noon}}))
			must(t, Update(j, func(s *EngineState) { s.Adopted = true }))
			must(t, j.BeginUpload(&PartialUpload{Path: "big", PartSize: 10, Source: *file(10), Began: noon}))
			must(t, j.AddPart("big", Part{Number: 2, Size: 10}, noon))
			must(t, j.AddPart("big", Part{Number: 2, Size: 9}, noon))
			must(t, j.AddPart("big", Part{Number: 1, Size: 1}, noon))
			mustBeSound(t, j)
			must(t, j.Close())
			spoil(t, path, c.sql)
			ro, err := OpenReadOnly(path)
			must(t, err)
			defer ro.Close()
			found, err := ro.Check(t.Context())
			must(t, err)
			if !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
			for _, v := range found {
				if !strings.HasSuffix(v, ".") {
					t.Errorf("no sentence: %q", v)
				}
			}
		})
	}
}

// A parked directory and a file that waits to be deleted beside a directory are sound while a step
// about them is pending.
func TestCheckAcceptsWorkInProgress(t *testing.T) {
	j, _ := newJournal(t)
	const parked = "a/.snapsync-0123456789abcdef.tmp"
	run(t, j, send(parked+"/x", file(1)), send("b", file(1)))
	back := Step{Action: Move, Reason: Renamed, From: parked, Path: "a/y", Dir: true, Old: directory(), New: directory()}
	beside := send("b/c", file(2))
	gone := remove("b", file(1))
	_, err := j.Begin(Plan{Steps: []Step{beside, back, gone}}, nil, noon)
	must(t, err)
	mustBeSound(t, j)
	must(t, j.Ack([]Done{{beside, file(2), noon}}))
	found, err := j.Check(t.Context())
	must(t, err)
	if len(found) != 0 {
		t.Errorf("found %q", found)
	}
	must(t, j.Ack([]Done{{back, directory(), noon}, {gone, nil, noon}}))
}

func TestCheckStops(t *testing.T) {
	j, _ := newJournal(t)
	run(t, j, send("a", file(1)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Check(ctx); err == nil {
		t.Error("a cancelled check succeeded")
	}
}
