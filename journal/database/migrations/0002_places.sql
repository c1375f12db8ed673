-- Where on this machine's disks the remote is, so that a disk that is not mounted is told from an empty one.
ALTER TABLE state ADD COLUMN places TEXT NOT NULL DEFAULT '';                 -- JSON; '': it is elsewhere, or not known
ALTER TABLE state ADD COLUMN new_remote_approved INTEGER NOT NULL DEFAULT 0;
