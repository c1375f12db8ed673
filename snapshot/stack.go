package snapshot

import "sync"

// stack is the work that is left, shared by the workers. The last job in is the first one out, so
// that its length follows the depth of the tree times the width of a directory, and not the size
// of the tree.
type stack struct {
	mu     sync.Mutex
	more   sync.Cond
	jobs   []job
	busy   int // workers that have a job, and so may add others
	closed bool
}

func newStack(first job) *stack {
	s := &stack{jobs: []job{first}}
	s.more.L = &s.mu
	return s
}

// pop waits for a job. It returns false when there will be none any more.
func (s *stack) pop() (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.jobs) == 0 && s.busy > 0 && !s.closed {
		s.more.Wait()
	}
	if len(s.jobs) == 0 || s.closed {
		return job{}, false
	}
	last := len(s.jobs) - 1
	j := s.jobs[last]
	s.jobs[last] = job{}
	s.jobs = s.jobs[:last]
	s.busy++
	return j, true
}

// done ends a job that pop returned, and adds those that it led to. It returns how many are left.
func (s *stack) done(led []job) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, led...)
	s.busy--
	if len(led) > 0 || s.busy == 0 {
		s.more.Broadcast()
	}
	return len(s.jobs)
}

// close makes every pop return false.
func (s *stack) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.more.Broadcast()
}
