package base

import (
	"bytes"
	"encoding/binary"

	"github.com/snapsync/snapsync/journal/database"
	"github.com/snapsync/snapsync/snapshot"
)

// Which paths hold a content is asked only where the remote can copy, and only when there is
// something new. An index that answers it is expensive to keep: its order is that of hashes, so every
// acknowledged file changes a page of its own, and 1,000,000 inserts took 41 s with it and 4 s without
// it. To build it over 1,000,000 rows takes 2 s. So it is built when the question is first asked of a
// base that is not empty, and dropped before a change so large that building it again is cheaper. A
// journal that is open for reading only answers from one read of the base.
//
// The expressions name the fields of the packed entry: format, kind and hash type; size and hash.
const (
	contentKey   = "substr(entry, 9, 24)"
	contentWhere = "substr(entry, 1, 3) = x'010101'" // a file with a known XXH3
	createIndex  = "CREATE INDEX IF NOT EXISTS base_content ON base (" + contentKey + ") WHERE " + contentWhere
	removeIndex  = "DROP INDEX IF EXISTS base_content"
)

// content is a contentKey.
type content [24]byte

func contentOf(size int64, h snapshot.Hash) (c content) {
	binary.BigEndian.PutUint64(c[:8], uint64(size))
	copy(c[8:], h[:])
	return c
}

func (c content) size() int64 { return int64(binary.BigEndian.Uint64(c[:8])) }

// contents is what a journal without the index remembers from the last Sizes: the smallest path of
// each content that has one of the sizes. It is bounded by how many files share a size with a
// candidate, and nil before the first.
type contents map[content]string

// Sizes returns which of the candidates occur as the size of a file in the base whose XXH3 is known,
// retained files included: only those are worth hashing in the hope of a copy.
func (b *Base) Sizes(candidates []int64) (map[int64]bool, error) {
	found := make(map[int64]bool)
	if len(candidates) == 0 {
		return found, nil
	}
	indexed, err := b.indexContents()
	if err != nil {
		return nil, err
	}
	if !indexed {
		return b.sizesUnindexed(candidates)
	}
	err = b.db.Read("look up sizes", func(c database.Conn) error {
		highest := snapshot.Hash(bytes.Repeat([]byte{0xff}, 16))
		for _, size := range candidates {
			if size < 0 || found[size] {
				continue
			}
			low, high := contentOf(size, snapshot.Hash{}), contentOf(size, highest)
			there, err := c.Prepare("SELECT 1 FROM base WHERE " + contentWhere + " AND " + contentKey + " BETWEEN ? AND ? LIMIT 1").
				Blob(low[:]).Blob(high[:]).Exists()
			if err != nil {
				return err
			}
			if there {
				found[size] = true
			}
		}
		return nil
	})
	return found, err
}

// Holding returns the path of a file in the base that holds this content, retained or not: the
// smallest by directory and then name. The content is named by its size and its XXH3.
func (b *Base) Holding(size int64, h snapshot.Hash) (path string, ok bool, err error) {
	if size < 0 {
		return "", false, nil
	}
	indexed, err := b.indexContents()
	if err != nil {
		return "", false, err
	}
	key := contentOf(size, h)
	if !indexed && b.contents != nil {
		path, ok = b.contents[key]
		return path, ok, nil
	}
	err = b.db.Read("look up content", func(c database.Conn) error {
		ok, err = c.Prepare("SELECT dir, name FROM base WHERE " + contentWhere + " AND " + contentKey + " = ? ORDER BY dir, name LIMIT 1").
			Blob(key[:]).First(func(row database.Row) error {
			path = snapshot.Join(row.ColumnText(0), row.ColumnText(1))
			return nil
		})
		return err
	})
	return path, ok, err
}

// indexContents makes sure that there is an index, or that the base has no files, and reports false
// if the journal may not write. A crash right after leaves the index, which is only a cost.
func (b *Base) indexContents() (bool, error) {
	var there int64
	err := b.db.Read("look for an index", func(c database.Conn) (err error) {
		there, err = c.Int(`SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'base_content')
			OR (SELECT files + retained = 0 FROM counter)`)
		return err
	})
	if err != nil || there != 0 || b.db.ReadOnly() {
		return there != 0, err
	}
	return true, b.db.Write("index contents", func(t *database.Tx) error { return t.Exec(createIndex) })
}

// dropIndex drops the index before a change of that many rows, if rebuilding it would cost less
// than keeping it.
func dropIndex(t *database.Tx, rows int) error {
	if rows == 0 {
		return nil
	}
	const costRatio = 10 // to insert a row with the index, against building it over that row
	held, err := readTotals(t.Conn)
	if err != nil || int64(rows)*costRatio < held.Files+held.Retained+int64(rows) {
		return err
	}
	return t.Exec(removeIndex)
}

func (b *Base) sizesUnindexed(candidates []int64) (map[int64]bool, error) {
	wanted, found := make(map[int64]bool, len(candidates)), make(map[int64]bool)
	for _, size := range candidates {
		wanted[size] = true
	}
	b.contents = make(contents)
	err := b.db.Read("look up sizes", func(c database.Conn) error {
		return c.Prepare("SELECT dir, name, " + contentKey + " FROM base WHERE " + contentWhere + " ORDER BY dir, name").Each(func(row database.Row) error {
			var key content
			if row.ColumnBytes(2, key[:]) != len(key) {
				return database.Damaged("base of %q: short entry", snapshot.Join(row.ColumnText(0), row.ColumnText(1)))
			}
			if !wanted[key.size()] {
				return nil
			}
			found[key.size()] = true
			if _, known := b.contents[key]; !known {
				b.contents[key] = snapshot.Join(row.ColumnText(0), row.ColumnText(1))
			}
			return nil
		})
	})
	return found, err
}
