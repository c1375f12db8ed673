package snapshot

import "sync"

// job is one directory to look at: on disk and in the base, or, if gone, in the base alone.
type job struct {
	path string
	gone bool // it is not on disk: every entry of the base beneath it is absent
	// replaced says that a file took the place of the directory or of one above it: even what is
	// retained beneath cannot stay.
	replaced bool
	self     *Change // what to report about the directory itself once it proves to belong; nil: nothing
	// What its parent knew: its own device and inode, and the device of the parent. Zero for the root.
	dev, ino, outside uint64
	unproven          *unproven // absence beneath proves nothing, because of this
	trail             *trail    // the directories above, if links are followed
	within            scopes    // what is to be looked at beneath; nil: everything
	onTheWay          bool      // it is only on the way to what is within, so nothing is said about itself
}

// trail leads from a directory to the root, so that a followed link that leads back is noticed.
type trail struct {
	dev, ino uint64
	above    *trail
}

// leadsBack reports whether the directory with this device and inode is on the trail.
func (t *trail) leadsBack(dev, ino uint64) bool {
	for ; t != nil; t = t.above {
		if t.dev == dev && t.ino == ino {
			return true
		}
	}
	return false
}

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
