package journal

// Totals counts what the base holds.
type Totals struct {
	Files, Bytes  int64 // files and symlinks that the source holds too
	Dirs          int64
	Retained      int64 // files that only the remote holds
	RetainedBytes int64
}

// Journal is one mapping's durable record.
type Journal struct{}
