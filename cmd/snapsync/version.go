package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/snapsync/snapsync/backends/rclone"
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
		return writeJSON(a.stdout, struct {
			Version  string   `json:"version"`
			Rclone   string   `json:"rclone"`
			Go       string   `json:"go"`
			Platform string   `json:"platform"`
			Backends []string `json:"backends"`
		}{ourVersion(), rclone.Version(), runtime.Version(), platform, rclone.Names()})
	}
	_, err := fmt.Fprintf(a.stdout, "%s\nrclone %s, %d backends\n%s %s\n",
		versionLine(), rclone.Version(), len(rclone.Names()), runtime.Version(), platform)
	return err
}
