package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

// version is set by the release build; otherwise it comes from what the go command recorded.
var version string

func ourVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// versionLine is what --version prints.
func versionLine() string { return "snapsync " + ourVersion() }

type versionCmd struct{}

// Help is the long text of `version --help`.
func (*versionCmd) Help() string {
	return `Example:

    snapsync version --json`
}

// Run implements the command.
func (*versionCmd) Run(a *app) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if a.JSON {
		return text.WriteJSON(a.Out, struct {
			Version  string   `json:"version"`
			Rclone   string   `json:"rclone"`
			Go       string   `json:"go"`
			Platform string   `json:"platform"`
			Backends []string `json:"backends"`
		}{ourVersion(), rclone.Version(), runtime.Version(), platform, rclone.Names()})
	}
	_, err := fmt.Fprintf(a.Out, "%s\nrclone %s, %d backends\n%s %s\n",
		versionLine(), rclone.Version(), len(rclone.Names()), runtime.Version(), platform)
	return err
}
