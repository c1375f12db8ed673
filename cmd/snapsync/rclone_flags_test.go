package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/snapsync/snapsync/backends/rclone/answers"
	"github.com/snapsync/snapsync/cmd/snapsync/settings"
)

// Each option of rclone's that the table says to have a flag here has one, for run, and rclone's variable sets it.
func TestOptionsOfOursAreFlags(t *testing.T) {
	parser, err := newParser(&cli{}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	run := parser.Model.Children[slices.IndexFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == "run" })]
	flags := slices.Concat(parser.Model.Flags, run.Flags)
	for _, name := range answers.Names() {
		o, _ := answers.Of(name)
		f := settings.FlagNamed(flags, strings.TrimPrefix(o.Flag(), "--"))
		if (f != nil) != (o.Class == answers.Ours) {
			t.Errorf("%s: the table and the flags of run disagree", name)
			continue
		}
		byRclone := slices.Contains([]string{"config", "password_command", "bwlimit"}, name) // in package rclone
		if f != nil && !byRclone && !slices.Contains(f.Envs, "RCLONE_"+strings.ToUpper(name)) {
			t.Errorf("%s: its variable of rclone's is not read", name)
		}
	}
}
