package main

import (
	"fmt"
	"runtime"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/cmd/snapsync/text"
)

type versionCmd struct{}

// Help is the long text of `version --help`.
func (*versionCmd) Help() string {
	return `Example:

    snapsync version --json`
}

// Run implements the command.
func (*versionCmd) Run(w *world) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if w.JSON {
		return text.WriteJSON(w.Out, struct {
			Version  string   `json:"version"`
			Rclone   string   `json:"rclone"`
			Go       string   `json:"go"`
			Platform string   `json:"platform"`
			Backends []string `json:"backends"`
		}{ourVersion(), rclone.Version(), runtime.Version(), platform, rclone.Names()})
	}
	_, err := fmt.Fprintf(w.Out, "%s\nrclone %s, %d backends\n%s %s\n",
		versionLine(), rclone.Version(), len(rclone.Names()), runtime.Version(), platform)
	return err
}
