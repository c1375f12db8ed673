package rclone

import (
	"context"
	"fmt"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/filter"

	"github.com/snapsync/snapsync/snapshot"
)

// FilterOptions are rclone's filter flags, in rclone's syntax. What is not set here comes from
// rclone's environment variables, such as RCLONE_EXCLUDE.
type FilterOptions struct {
	Include, IncludeFrom    []string
	Exclude, ExcludeFrom    []string
	Filter, FilterFrom      []string
	FilesFrom, FilesFromRaw []string
	ExcludeIfPresent        []string
	MinSize, MaxSize        string // "100K"
	MinAge, MaxAge          string // "2d", "2026-01-31"; counted from the call of NewFilter
	IgnoreCase              bool
}

// NewFilter returns the filter that o describes, or nil if everything belongs. It matches what rclone
// would match, except that a symbolic link is matched under its own name, without ".rclonelink".
func NewFilter(o FilterOptions) (snapshot.Filter, error) {
	opt := filter.Opt
	for _, l := range []struct {
		to   *[]string
		from []string
	}{
		{&opt.IncludeRule, o.Include}, {&opt.IncludeFrom, o.IncludeFrom},
		{&opt.ExcludeRule, o.Exclude}, {&opt.ExcludeFrom, o.ExcludeFrom},
		{&opt.FilterRule, o.Filter}, {&opt.FilterFrom, o.FilterFrom},
		{&opt.FilesFrom, o.FilesFrom}, {&opt.FilesFromRaw, o.FilesFromRaw},
		{&opt.ExcludeFile, o.ExcludeIfPresent},
	} {
		if len(l.from) > 0 {
			*l.to = l.from
		}
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
	opt.IgnoreCase = opt.IgnoreCase || o.IgnoreCase
	return newRules(opt)
}

func newRules(opt filter.Options) (snapshot.Filter, error) {
	markers := opt.ExcludeFile
	opt.ExcludeFile = nil // the scan looks for them: see Markers
	f, err := filter.NewFilter(&opt)
	if err != nil {
		return nil, fmt.Errorf("parse filter: %w", err)
	}
	if f.InActive() && len(markers) == 0 {
		return nil, nil
	}
	var none fs.Fs // only asked for markers, which are not set
	return &rules{f, f.IncludeDirectory(context.Background(), none), markers}, nil
}

// rules is rclone's filter as the scan wants it. It is not changed after newRules.
type rules struct {
	filter  *filter.Filter
	dir     func(remote string) (bool, error)
	markers []string
}

func (r *rules) File(path string, size int64, mtime time.Time) bool {
	return r.filter.Include(Encode(path), size, mtime, nil)
}

func (r *rules) Dir(path string) bool {
	ok, err := r.dir(Encode(path))
	return ok || err != nil // it cannot fail without markers
}

func (r *rules) Markers() []string { return r.markers }
