-- The journal of one mapping, first version.
--
-- Times are nanoseconds since the Unix epoch, 0 where there is none. Paths are slash-separated and
-- relative to the source; they are the source's own bytes, which need not be UTF-8, stored as TEXT
-- and compared byte by byte. Never use LIKE or a character function on them. An "entry" is the packed
-- form of snapshot.Entry that pack.go documents.

-- The directory and the remote that this journal is about: written once, compared at every opening.
CREATE TABLE mapping (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,
    remote TEXT NOT NULL
) STRICT;

-- What the remote is known to hold. Folded from acknowledged steps only.
-- One packed column instead of ten: a scan reads all of it for every row, and 1,000,000 rows took
-- 0.35 s this way and 0.65 s with a column for each field.
-- An index on the content, base_content, exists only while someone asks which paths hold a content:
-- content.go says why.
CREATE TABLE base (
    dir   TEXT NOT NULL, -- the directory; '' is the root of the mapping
    name  TEXT NOT NULL, -- the last name
    entry BLOB NOT NULL,
    PRIMARY KEY (dir, name)
) STRICT, WITHOUT ROWID;

-- Sums that would otherwise need a read of everything. One row.
CREATE TABLE counter (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    files          INTEGER NOT NULL DEFAULT 0, -- of base: files and symlinks that the source has too
    bytes          INTEGER NOT NULL DEFAULT 0, -- of base: their sizes
    dirs           INTEGER NOT NULL DEFAULT 0, -- of base: directories that the source has too
    retained       INTEGER NOT NULL DEFAULT 0, -- of base: files that only the remote has
    retained_bytes INTEGER NOT NULL DEFAULT 0, -- of base: their sizes
    last_seq       INTEGER NOT NULL DEFAULT 0, -- the highest number that a step ever had
    claimed        INTEGER NOT NULL DEFAULT 0  -- steps up to this one may have reached the remote
) STRICT;
INSERT INTO counter (id) VALUES (1);

-- What is still to be done, in order. Replaced as a whole when a cycle begins.
CREATE TABLE step (
    seq       INTEGER PRIMARY KEY, -- grows for ever: a number is never used for another step
    action    INTEGER NOT NULL,    -- journal.Action
    how       INTEGER NOT NULL,    -- journal.How; 0 unless it is a send
    reason    INTEGER NOT NULL,    -- journal.Reason
    dir       INTEGER NOT NULL,    -- 1: the step is about a whole directory
    held      INTEGER NOT NULL,    -- 1: a guard stopped it
    files     INTEGER NOT NULL,    -- of a directory's move: files beneath it
    since     INTEGER NOT NULL,    -- when this path was first seen to differ from the remote
    path      TEXT NOT NULL,
    from_path TEXT,                -- of a move and of a copy; NULL otherwise
    old       BLOB,                -- entry: what the base holds; NULL: nothing
    new       BLOB                 -- entry: what the base will hold, as planned; NULL: nothing
) STRICT;

-- How many steps wait since when: the sums of step, grouped by since.
CREATE TABLE backlog (
    since INTEGER PRIMARY KEY,
    steps INTEGER NOT NULL, -- held ones too
    held  INTEGER NOT NULL
) STRICT;

-- Cycles in which at least one step was acknowledged, or that have not ended. Each is a snapshot that
-- the remote has acknowledged. The counts are of acknowledged steps.
CREATE TABLE cycle (
    id            INTEGER PRIMARY KEY,
    began         INTEGER NOT NULL,
    ended         INTEGER NOT NULL DEFAULT 0, -- 0: it runs, or a crash ended it
    first_history INTEGER NOT NULL,           -- its history starts here, and ends where the next cycle's starts
    outcome       TEXT NOT NULL DEFAULT '',
    sent          INTEGER NOT NULL DEFAULT 0,
    copied        INTEGER NOT NULL DEFAULT 0,
    touched       INTEGER NOT NULL DEFAULT 0,
    moved         INTEGER NOT NULL DEFAULT 0,
    deleted       INTEGER NOT NULL DEFAULT 0,
    upload_bytes  INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0,
    held          INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every acknowledged step, in the order of acknowledgement. Bounded by age and by number.
CREATE TABLE history (
    id        INTEGER PRIMARY KEY,
    cycle     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    action    INTEGER NOT NULL, -- as in step, down to from_path
    how       INTEGER NOT NULL,
    reason    INTEGER NOT NULL,
    dir       INTEGER NOT NULL,
    files     INTEGER NOT NULL,
    path      TEXT NOT NULL,
    from_path TEXT,
    before    BLOB,             -- entry of the base before: at from_path of a move, at path otherwise
    after     BLOB              -- entry of the base after, at path
) STRICT;

-- History that no notifier has taken yet, one row for each acknowledged group. A notifier reads the
-- rows from first to last of history and deletes the outbox row. Bounded by the history.
CREATE TABLE outbox (
    first INTEGER PRIMARY KEY, -- history.id
    last  INTEGER NOT NULL     -- history.id
) STRICT;

-- Paths that could not be made true, until they are acknowledged or no longer planned.
CREATE TABLE failure (
    path    TEXT PRIMARY KEY,
    class   TEXT NOT NULL,    -- the engine's word for the kind of error
    message TEXT NOT NULL,    -- for a person
    tries   INTEGER NOT NULL,
    first   INTEGER NOT NULL, -- time of the first failure in a row
    last    INTEGER NOT NULL  -- time of the last one
) STRICT, WITHOUT ROWID;

-- Paths whose interrupted upload may have left a temporary name on the remote.
CREATE TABLE temp (
    path  TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Uploads that can be resumed, and their parts that the remote has confirmed. Empty until a
-- Connection can resume.
CREATE TABLE upload (
    path       TEXT PRIMARY KEY,
    connection TEXT NOT NULL,    -- where the upload id is valid: another remote starts anew
    upload_id  TEXT NOT NULL,
    part_size  INTEGER NOT NULL,
    source     BLOB NOT NULL,    -- entry: what is being sent; another source starts anew
    began      INTEGER NOT NULL,
    last       INTEGER NOT NULL  -- time of the last confirmed part: the age that bounds it
) STRICT, WITHOUT ROWID;
CREATE TABLE upload_part (
    path     TEXT NOT NULL REFERENCES upload (path) ON DELETE CASCADE,
    number   INTEGER NOT NULL,   -- from 1
    size     INTEGER NOT NULL,
    etag     TEXT NOT NULL,      -- as the remote returned it
    checksum BLOB NOT NULL,      -- in the connection's algorithm
    PRIMARY KEY (path, number)
) STRICT, WITHOUT ROWID;

-- What the engine and the command line remember between runs. One row; State in state.go.
CREATE TABLE state (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    phase               TEXT NOT NULL DEFAULT '',
    phase_since         INTEGER NOT NULL DEFAULT 0,
    started             INTEGER NOT NULL DEFAULT 0,
    pid                 INTEGER NOT NULL DEFAULT 0,
    last_run            INTEGER NOT NULL DEFAULT 0,
    last_success        INTEGER NOT NULL DEFAULT 0,
    last_error          TEXT NOT NULL DEFAULT '',
    last_error_class    TEXT NOT NULL DEFAULT '',
    paused              INTEGER NOT NULL DEFAULT 0,
    adopted             INTEGER NOT NULL DEFAULT 0, -- 1: base was built from a listing of the remote
    identity            TEXT NOT NULL DEFAULT '',   -- JSON: which directory the source is
    caps                TEXT NOT NULL DEFAULT '',   -- JSON: what the remote can do
    options             TEXT NOT NULL DEFAULT '',   -- JSON: the flags of the last run
    held_digest         TEXT NOT NULL DEFAULT '',
    held_why            TEXT NOT NULL DEFAULT '',
    held_base           INTEGER NOT NULL DEFAULT 0, -- files in base when deletes were first held
    mounts_held         INTEGER NOT NULL DEFAULT 0, -- files kept for file systems that are not mounted any more
    mounts_why          TEXT NOT NULL DEFAULT '',
    approved_digest     TEXT NOT NULL DEFAULT '',
    new_source_approved INTEGER NOT NULL DEFAULT 0,
    empty_dirs          INTEGER NOT NULL DEFAULT 0, -- 1: directories without files are on the remote too
    unflushed           TEXT NOT NULL DEFAULT ''    -- boot of the machine whose end may have undone acknowledged steps
) STRICT;
INSERT INTO state (id) VALUES (1);

-- File systems mounted inside the source when it was last looked at: part of State. A table because
-- a path need not be UTF-8, so JSON would not keep it.
CREATE TABLE mount (
    path  TEXT PRIMARY KEY,
    fs_id INTEGER NOT NULL -- the bits of a uint64
) STRICT, WITHOUT ROWID;
