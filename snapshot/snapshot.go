// Package snapshot says what a directory holds, and how that differs from what it held.
//
// An Entry is one path as it was seen at one moment. The base is the entries that the remote is known
// to hold; somebody else keeps it (see Base). Scan walks the source and the base side by side and
// returns the head: not all entries of the source, but the Changes between the two, together with
// what could not be found out. A Change is the only currency between this package and the planner.
// Content reads one file for sending, and HashFile for comparing.
//
// # How a scan works
//
//	stack = [root]
//	each worker, until the stack is empty and nobody is busy:
//	    pop a directory; open it; is it still the one that its parent saw?
//	    list all its names; sort them
//	    for each name of the listing and of the base, in byte order, side by side:
//	        on both sides:   stat it; the same? nothing : a change
//	        on disk only:    stat it; an addition
//	        in base only:    ask for it once more; not there? a removal : nothing, this time
//	    push the directories found; and those that are in the base only, to report what was in them
//
// With Config.Within the same walk goes only where a Scope leads: of a directory on the way it asks
// for the names that lead on, both the system and the base, and lists neither. So to look at one path
// takes a few system calls for each directory above it, however many names they hold.
//
// Nothing is allocated for an entry that did not change, so memory follows the changes and the
// widest directories, never the size of the tree. On Linux a directory is read by its descriptor
// (see descriptor); elsewhere, and in tests, by os functions (see portable).
//
// # What it guarantees
//
// Absence is proved. A path is reported as removed only if the directory that held it was listed to
// its end and a look-up of the name failed as well, or found something that the scan skips, which is in
// Head.Covered; or if a directory above it was removed in that sense; within scopes, a first look-up
// stands for the listing. Where that cannot be said, the path of the directory is in Head.Unproven and
// nothing is removed beneath: it cannot be read; its listing broke off; a file system that was mounted
// there is gone, or is another, or one that was not there before covers what the base has. Each of these
// blocks removals beneath itself and nowhere else; additions and edits are reported all the same. What
// changes while it is being looked at is left out until the next scan, which sees what it has become.
//
// Sameness is proved. An entry is unchanged if its kind, size, mtime, ctime, inode and permissions
// are what the base has, and if the base entry is not Racy, that is, was not so young when it was seen
// that a later write could have left all of these as they were (see racy). All else is reported, and
// its content decides.
//
// What is read is one state. A Content hands out the last byte of a file only after it made sure that
// neither the open file nor the path changed since the first; the hash is of the bytes that were
// handed out. So whoever publishes a file only when it is complete never publishes a torn one.
//
// Output is sorted and the same for the same trees. Paths are the bytes that the system gave, with
// slashes: they may hold newlines or be invalid UTF-8, and may be longer than the system takes in one
// call. The root itself may be a symbolic link; what is beneath is never reached through one, unless
// links are followed.
//
// # What it leaves to others
//
// It knows no SQL, no rclone and no network, and writes nothing. Whether the root is still the same
// directory is for the engine to ask, with Identify and Identity.Same, before it believes a head.
// What a change means — a move, a touch, a copy, nothing at all — is for the planner. The rules that
// exclude paths come in through Filter.
package snapshot
