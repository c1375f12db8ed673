package journal

// Repair makes the base say what the remote was found to hold: nil for nothing. It is one transaction.
func (j *Journal) Repair(fixes []Refresh) error {
	if len(fixes) == 0 {
		return nil
	}
	return j.write("repair base", func(t *transaction) error {
		if err := t.dropContents(len(fixes)); err != nil {
			return err
		}
		return t.refresh(fixes)
	})
}
