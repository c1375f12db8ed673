package answers

const (
	runs       = "snapsync run --once SRC --remote REMOTE"
	rcloneDoes = "a mapping is not needed for that: rclone does it"
)

// commands are in the order of the documentation. Those that read or change a remote without a mapping stay rclone's.
var commands = []Command{
	{"sync", runs + " --complete-sync"},
	{"copy", runs + ", which retains on the remote what is deleted here"},
	{"copyto", "a file has no mapping of its own: " + runs + " --include /FILE"},
	{"move", "nothing is ever taken from the source: " + runs + ", and delete here what may go"},
	{"moveto", "nothing is ever taken from the source: " + runs},
	{"bisync", "one way only: the source decides"},
	{"check", "snapsync verify SRC --remote REMOTE, with --checksum by content"},
	{"cryptcheck", "snapsync verify SRC --remote REMOTE"},
	{"ls", "snapsync status shows mappings, rclone ls a remote"},
	{"lsl", rcloneDoes},
	{"lsd", rcloneDoes},
	{"lsf", rcloneDoes},
	{"lsjson", rcloneDoes},
	{"tree", rcloneDoes},
	{"size", "snapsync status has the figures of a mapping, rclone size those of a remote"},
	{"ncdu", rcloneDoes},
	{"cat", rcloneDoes},
	{"md5sum", rcloneDoes},
	{"sha1sum", rcloneDoes},
	{"hashsum", rcloneDoes},
	{"listremotes", "snapsync config init lists them, and makes new ones"},
	{"mkdir", "the first run makes the directory"},
	{"rmdir", rcloneDoes},
	{"rmdirs", "a run with --complete-sync removes the directories that are left empty"},
	{"delete", "delete in the source, and run with --complete-sync; what was never mirrored is rclone's to delete"},
	{"deletefile", "delete in the source, and run with --complete-sync"},
	{"purge", "snapsync forget ends a mapping and leaves the remote as it is; rclone purge empties it"},
	{"dedupe", rcloneDoes},
	{"cleanup", rcloneDoes},
	{"about", rcloneDoes},
	{"touch", rcloneDoes},
	{"obscure", rcloneDoes},
	{"mount", rcloneDoes},
	{"rcd", "a running 'snapsync run' answers at its socket: docs/control.md"},
	{"rc", "status, pause, sync and the like reach a running process: docs/control.md"},
}
