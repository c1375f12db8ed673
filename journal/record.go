package journal

import (
	"time"

	"github.com/snapsync/snapsync/journal/database"
)

// Record is what the engine has remembered from a moment on: that at which a plan is durable, or the end of a run.
type Record struct {
	State *EngineState // nil: what it was
	// Settle does what Journal.Settle does, and Claim what Journal.Claim does for so many of the first pending steps.
	Settle bool
	Claim  int
	// Used are the approvals that are used up. Each is taken back, but for another digest that was approved meanwhile.
	Used Decisions
}

// Remember makes r durable, which may be nil. What does not differ is not written.
func (j *Journal) Remember(r *Record, at time.Time) error {
	return j.db.Write("update state", func(t *database.Tx) error { return r.remember(t, at) })
}

// Settle records that the outcome of every started step is known: it was acknowledged, or it did not
// happen. What their uploads may have left under temporary names stays remembered. A crash before it
// costs a second look at the remote.
func (j *Journal) Settle(at time.Time) error {
	return j.db.Write("settle steps", func(t *database.Tx) error { return (&Record{Settle: true}).remember(t, at) })
}

// remember is Remember within a transaction.
func (r *Record) remember(t *database.Tx, at time.Time) error {
	if r == nil {
		return nil
	}
	if r.Settle {
		if err := rememberTemps(t, at); err != nil {
			return err
		}
		if err := t.Exec("UPDATE counter SET claimed = 0 WHERE claimed > 0"); err != nil {
			return err
		}
	}
	if r.Claim > 0 {
		if err := t.Exec(`UPDATE counter SET claimed = (SELECT max(seq) FROM (SELECT seq FROM step ORDER BY seq LIMIT ?1))
			WHERE claimed < (SELECT max(seq) FROM (SELECT seq FROM step ORDER BY seq LIMIT ?1))`, r.Claim); err != nil {
			return err
		}
	}
	if r.State != nil {
		if err := updateDocument(t, func(s *EngineState) { *s = *r.State }); err != nil {
			return err
		}
	}
	if r.Used == (Decisions{}) {
		return nil
	}
	return updateDocument(t, func(d *Decisions) {
		if d.ApprovedDigest == r.Used.ApprovedDigest {
			d.ApprovedDigest = ""
		}
		d.NewSourceApproved = d.NewSourceApproved && !r.Used.NewSourceApproved
		d.NewRemoteApproved = d.NewRemoteApproved && !r.Used.NewRemoteApproved
	})
}
