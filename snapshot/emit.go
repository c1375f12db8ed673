package snapshot

import "sync"

// emitPieces is how many full pieces a worker gathers before it hands them out.
const emitPieces = 4

// emitter hands out changes while the scan goes on. nil: nobody wants them.
type emitter struct {
	mu   sync.Mutex // one call at a time
	emit func([]Change) error
}

func newEmitter(cfg *Config) *emitter {
	if cfg.Emit == nil {
		return nil
	}
	return &emitter{emit: cfg.Emit}
}

// some hands out what s holds if that is much.
func (e *emitter) some(s *arena) error {
	if e == nil || len(s.full) < emitPieces {
		return nil
	}
	return e.rest(s)
}

// rest hands out all that s holds.
func (e *emitter) rest(s *arena) error {
	if e == nil {
		return nil
	}
	changes := sorted([]*arena{s})
	if len(changes) == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.emit(changes)
}
