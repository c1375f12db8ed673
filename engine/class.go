package engine

// Class is the word for the kind of error that err is, as in the journal's failures and LoopStatus:
// "offline", "quota", "permission", …; "error" for one of no kind, "" for nil.
func Class(err error) string {
	if err == nil {
		return ""
	}
	return class(err)
}
