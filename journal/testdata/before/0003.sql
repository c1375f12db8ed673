-- A journal that the program made before its state became documents: every column is set. How it was made: Adopt, a
-- cycle, a second one that was claimed, failed and holds a delete, and Update. See TestMigrateState.
CREATE TABLE mapping (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,
    remote TEXT NOT NULL
) STRICT;
CREATE TABLE base (
    dir   TEXT NOT NULL, -- the directory; '' is the root of the mapping
    name  TEXT NOT NULL, -- the last name
    entry BLOB NOT NULL,
    PRIMARY KEY (dir, name)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE backlog (
    since INTEGER PRIMARY KEY,
    steps INTEGER NOT NULL, -- held ones too
    held  INTEGER NOT NULL
) STRICT;
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
CREATE TABLE outbox (
    first INTEGER PRIMARY KEY, -- history.id
    last  INTEGER NOT NULL     -- history.id
) STRICT;
CREATE TABLE failure (
    path    TEXT PRIMARY KEY,
    class   TEXT NOT NULL,    -- the engine's word for the kind of error
    message TEXT NOT NULL,    -- for a person
    tries   INTEGER NOT NULL,
    first   INTEGER NOT NULL, -- time of the first failure in a row
    last    INTEGER NOT NULL  -- time of the last one
) STRICT, WITHOUT ROWID;
CREATE TABLE temp (
    path  TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
, places TEXT NOT NULL DEFAULT '', new_remote_approved INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE mount (
    path  TEXT PRIMARY KEY,
    fs_id INTEGER NOT NULL -- the bits of a uint64
) STRICT, WITHOUT ROWID;
INSERT INTO mapping VALUES (1, '/src', 'dst:');
INSERT INTO base VALUES ('', 'a', x'01020004000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO base VALUES ('', 'c', x'01010000000001a400000000000000020000000000000000000000000000000017979cfe362a007b000000000000000000000000000000000000000000000000');
INSERT INTO base VALUES ('a', 'b', x'01010000000001a400000000000000010000000000000000000000000000000017979cfe362a007b000000000000000000000000000000000000000000000000');
INSERT INTO counter VALUES (1, 2, 3, 1, 0, 0, 3, 2);
INSERT INTO step VALUES (2, 1, 1, 1, 0, 0, 0, 1700003600000000123, 'd', NULL, NULL, x'01010000000001a400000000000000030000000000000000000000000000000017979cfe362a007b000000000000000000000000000000000000000000000000');
INSERT INTO step VALUES (3, 3, 0, 6, 0, 1, 0, 1700003600000000123, 'a/b', NULL, x'01010000000001a400000000000000010000000000000000000000000000000017979cfe362a007b000000000000000000000000000000000000000000000000', NULL);
INSERT INTO backlog VALUES (1700003600000000123, 2, 1);
INSERT INTO cycle VALUES (1, 1700000000000000123, 1700000000000000123, 1, 'idle', 1, 0, 0, 0, 0, 2, 0, 0);
INSERT INTO cycle VALUES (2, 1700003600000000123, 0, 2, '', 0, 0, 0, 0, 0, 0, 0, 0);
INSERT INTO history VALUES (1, 1, 1700000000000000123, 1, 1, 1, 0, 0, 'c', NULL, NULL, x'01010000000001a400000000000000020000000000000000000000000000000017979cfe362a007b000000000000000000000000000000000000000000000000');
INSERT INTO outbox VALUES (1, 1);
INSERT INTO failure VALUES ('d', 'permission', 'no', 1, 1700003600000000123, 1700003600000000123);
INSERT INTO state VALUES (1, 'idle', 1700014400000000123, 1700000000000000128, 42, 1700010800000000123, 1700007200000000123, CAST(x'63616e6e6f74202272656163682220ff' AS TEXT), 'offline', 1, 1, '{"fs":1,"ino":"<2>"}', '{"Copy":true}', '{"filter":["- *.o"]}', 'h1', 'the plan deletes 1 of 2 files', 2, 3, '"disk": gone', 'h1', 1, 1, 'boot-1', '[{"Path":"/r","There":true}]', 1);
INSERT INTO mount VALUES ('disk', 42);
INSERT INTO mount VALUES (CAST(x'6dff2f78' AS TEXT), -9223372036854775803);
PRAGMA application_id = 1936613744;
PRAGMA user_version = 2;
