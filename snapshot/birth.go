package snapshot

// Survived reports whether the file now at path, relative to cfg.Root, certainly is the one that old
// was, whatever became of its name and content: the inode is the same and was born no later than old
// was last changed. The number alone would not do, since a freed one is given to the next new file
// at once. False where the system does not tell when an inode was born.
func Survived(cfg Config, path string, old *Entry) bool {
	now, err := Stat(cfg, path)
	if err != nil || now.Ino == 0 || now.Ino != old.Ino || now.Dev != old.Dev || now.Kind != old.Kind {
		return false
	}
	born := birth(cfg.Root, path, cfg.Links == FollowLinks)
	return born != 0 && born <= old.Ctime
}
