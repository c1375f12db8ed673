package snapshot

// Head is what the source holds now, as its difference from the base.
type Head struct {
	// Changes are sorted by ComparePaths. They name every path whose stat, read now, does not prove
	// that it is as the base says, and every path of the base that is proved absent. Retained
	// entries of the base whose path is absent are no change without Config.Mirror, unless a file
	// took the place of a directory above them. Adopted entries always are one.
	Changes []Change
	// Unproven are the directories beneath which absence proves nothing. No Change with a nil New
	// lies beneath one of them.
	Unproven []Unproven
	// Covered are the paths of the base, absent like what was beneath them, where something stands that the scan skips.
	Covered []Covered
	// Problems are the paths that could not be looked at; none of them is in Changes.
	Problems []Problem
	// Mounts are the file systems mounted inside the source, path to file-system id, as the next scan
	// is to be given them in Config.Mounts: those that were found, but those that were expected
	// where the scan did not look, and where files are kept because something else was found.
	Mounts map[string]uint64
	Stats  Stats
}

// Unproven is a path at which and beneath which nothing may be deleted, and why.
type Unproven struct {
	Path   string
	Reason string // for a person: "permission denied", "the file system mounted there is gone", …
	Kept   int64  // files of the base at or beneath it that the scan did not see
	Mount  bool   // because of what is mounted there, or is not any more: a person can approve it; else it is in Problems as well
}

// Covered is a path that is not empty, and the reason why the scan has nothing there.
type Covered struct{ Path, Reason string }

// Problem is a path that could not be looked at.
type Problem struct {
	Path string
	Err  error
}
