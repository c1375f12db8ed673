-- What is remembered between runs is one JSON document for each owner: State in state.go. A missing row is an empty document.
CREATE TABLE document (
    owner TEXT PRIMARY KEY, -- engine, command, process, person
    json  TEXT NOT NULL     -- times are RFC 3339; what is zero is left out
) STRICT, WITHOUT ROWID;

-- The columns of state and the rows of mount become them. json_patch leaves out what is null.
CREATE TEMP VIEW stamp AS SELECT
    iif(phase IN ('scanning', 'syncing'), phase, NULL) AS doing,
    iif(phase_since  > 0, strftime('%Y-%m-%dT%H:%M:%S', phase_since  / 1000000000, 'unixepoch') || printf('.%09dZ', phase_since  % 1000000000), NULL) AS phase_since,
    iif(started      > 0, strftime('%Y-%m-%dT%H:%M:%S', started      / 1000000000, 'unixepoch') || printf('.%09dZ', started      % 1000000000), NULL) AS started,
    iif(last_run     > 0, strftime('%Y-%m-%dT%H:%M:%S', last_run     / 1000000000, 'unixepoch') || printf('.%09dZ', last_run     % 1000000000), NULL) AS last_run,
    iif(last_success > 0, strftime('%Y-%m-%dT%H:%M:%S', last_success / 1000000000, 'unixepoch') || printf('.%09dZ', last_success % 1000000000), NULL) AS last_success
    FROM main.state;
INSERT INTO document SELECT 'engine', json_patch('{}', json_object(
    'adopted', json(iif(adopted, 'true', 'null')),
    'identity', nullif(identity, ''),
    'mounts', (SELECT iif(count(*) > 0, json_group_object(hex(path), json(printf('%u', fs_id))), NULL) FROM mount),
    'caps', nullif(caps, ''),
    'places', nullif(places, ''),
    'empty_dirs', json(iif(empty_dirs, 'true', 'null')),
    'unflushed', nullif(unflushed, ''),
    'held_digest', nullif(held_digest, ''),
    'held_why', nullif(held_why, ''),
    'held_base', nullif(held_base, 0),
    'mounts_held', nullif(mounts_held, 0),
    'mounts_why', nullif(mounts_why, ''),
    'last_run', stamp.last_run,
    'last_success', stamp.last_success,
    'last_error', nullif(last_error, ''),
    'last_error_class', nullif(last_error_class, ''),
    'ended', iif(doing IS NULL, stamp.phase_since, NULL)
)) FROM state, stamp;
INSERT INTO document SELECT 'command', json_object('options', options) FROM state WHERE options <> '';
INSERT INTO document SELECT 'process', json_patch('{}', json_object(
    'started', stamp.started,
    'pid', nullif(pid, 0),
    'phase', doing,
    'phase_since', iif(doing IS NULL, NULL, stamp.phase_since)
)) FROM state, stamp;
INSERT INTO document SELECT 'person', json_patch('{}', json_object(
    'paused', json(iif(paused, 'true', 'null')),
    'approved_digest', nullif(approved_digest, ''),
    'new_source_approved', json(iif(new_source_approved, 'true', 'null')),
    'new_remote_approved', json(iif(new_remote_approved, 'true', 'null'))
)) FROM state;
DELETE FROM document WHERE json = '{}';
DROP VIEW stamp;
DROP TABLE mount;
DROP TABLE state;
