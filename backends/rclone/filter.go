package rclone

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/filter"

	"github.com/snapsync/snapsync/snapshot"
)

// FilterOptions are rclone's filter flags, in rclone's syntax. Files are read by NewFilter; a byte order mark at the start of one
// is none of its content.
type FilterOptions struct {
	Include, IncludeFrom    []string
	Exclude, ExcludeFrom    []string
	Filter, FilterFrom      []string
	FilesFrom, FilesFromRaw []string
	ExcludeIfPresent        []string
	MinSize, MaxSize        string // "100K"
	MinAge, MaxAge          string // "2d", "2026-01-31"; an age is counted from when a file is looked at
	IgnoreCase              bool
}

// NewFilter returns the filter that o describes, or nil if everything belongs. It matches what rclone
// would match, except that a symbolic link is matched under its own name, without ".rclonelink".
func NewFilter(o FilterOptions) (snapshot.Filter, error) {
	opt := filter.Options{ // not filter.Opt, which has what rclone's variables say: they are read as the flags are
		RulesOpt: filter.RulesOpt{
			IncludeRule: slices.Clone(o.Include), ExcludeRule: slices.Clone(o.Exclude), FilterRule: slices.Clone(o.Filter),
		},
		ExcludeFile: o.ExcludeIfPresent, IgnoreCase: o.IgnoreCase,
		MinAge: fs.DurationOff, MaxAge: fs.DurationOff, MinSize: -1, MaxSize: -1,
	}
	// rclone adds the rules of files right behind those of the same kind that were given.
	for _, l := range []struct {
		to   *[]string
		from []string
	}{{&opt.IncludeRule, o.IncludeFrom}, {&opt.ExcludeRule, o.ExcludeFrom}, {&opt.FilterRule, o.FilterFrom}} {
		rules, err := linesOf(l.from, false)
		if err != nil {
			return nil, err
		}
		*l.to = append(*l.to, rules...)
	}
	for _, v := range []struct {
		flag, value string
		set         func(string) error
	}{
		{"min-size", o.MinSize, opt.MinSize.Set}, {"max-size", o.MaxSize, opt.MaxSize.Set},
		{"min-age", o.MinAge, opt.MinAge.Set}, {"max-age", o.MaxAge, opt.MaxAge.Set},
	} {
		if v.value == "" {
			continue
		}
		if err := v.set(v.value); err != nil {
			return nil, fmt.Errorf("parse --%s %q: %w", v.flag, v.value, err)
		}
	}
	listed, err := linesOf(o.FilesFrom, false)
	if err != nil {
		return nil, err
	}
	raw, err := linesOf(o.FilesFromRaw, true)
	if err != nil {
		return nil, err
	}
	// A list that is empty is a list: nothing belongs then.
	if len(o.IncludeFrom) > 0 {
		opt.IncludeFrom = []string{os.DevNull}
	}
	if len(o.FilesFrom)+len(o.FilesFromRaw) > 0 {
		opt.FilesFrom = []string{os.DevNull}
	}
	r, err := newRules(opt, append(listed, raw...))
	if r == nil || err != nil {
		return nil, err
	}
	if opt.MinAge.IsSet() && !isDate(o.MinAge) {
		r.minAge, r.filter.ModTimeTo = time.Duration(opt.MinAge), time.Time{}
	}
	if opt.MaxAge.IsSet() && opt.MaxAge > 0 && !isDate(o.MaxAge) {
		r.maxAge, r.filter.ModTimeFrom = time.Duration(opt.MaxAge), time.Time{}
	}
	return r, nil
}

// isDate reports whether an age of rclone's is a date, from which an age follows only now.
func isDate(age string) bool {
	_, err := time.Parse(time.DateOnly, age[:min(len(age), len(time.DateOnly))])
	return err == nil
}

// newRules adds the names that were listed to what opt describes.
func newRules(opt filter.Options, listed []string) (*rules, error) {
	markers := opt.ExcludeFile
	opt.ExcludeFile = nil // the scan looks for them: see Markers
	f, err := filter.NewFilter(&opt)
	if err != nil {
		return nil, fmt.Errorf("parse filter: %w", err)
	}
	for _, name := range listed {
		if err := f.AddFile(name); err != nil {
			return nil, fmt.Errorf("parse filter: %w", err)
		}
	}
	if f.InActive() && len(markers) == 0 {
		return nil, nil
	}
	var none fs.Fs // only asked for markers, which are not set
	return &rules{filter: f, dir: f.IncludeDirectory(context.Background(), none), markers: markers, now: time.Now}, nil
}

// rules is rclone's filter as the scan wants it. rclone counts ages from when a process began; rules do from when a file is looked
// at.
type rules struct {
	filter  *filter.Filter
	dir     func(remote string) (bool, error)
	markers []string

	minAge, maxAge time.Duration // 0: not set
	now            func() time.Time
	tell           atomic.Pointer[func(path string, at time.Time)] // of TellYoung; nil: nobody wants to know
}

// TellYoung has tell called, by several goroutines, for each file that belongs but is too young, with when it is old enough.
func (r *rules) TellYoung(tell func(path string, at time.Time)) { r.tell.Store(&tell) }

func (r *rules) File(path string, size int64, mtime time.Time) bool {
	if !r.filter.Include(Encode(path), size, mtime, nil) {
		return false
	}
	if r.minAge == 0 && r.maxAge == 0 {
		return true
	}
	now := r.now()
	if r.maxAge != 0 && mtime.Before(now.Add(-r.maxAge)) {
		return false
	}
	if r.minAge == 0 || !mtime.After(now.Add(-r.minAge)) {
		return true
	}
	if tell := r.tell.Load(); tell != nil {
		(*tell)(path, mtime.Add(r.minAge))
	}
	return false
}

func (r *rules) Dir(path string) bool {
	ok, err := r.dir(Encode(path))
	return ok || err != nil // it cannot fail without markers
}

func (r *rules) Markers() []string { return r.markers }
