package main

import (
	"cmp"
	"embed"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Help is the long text of `completion --help`.
func (*completionCmd) Help() string {
	return `The script goes to stdout. It asks snapsync itself what can come next: commands, flags, the mappings of the
config file, rclone's remotes, snapshots.

Examples:

    source <(snapsync completion bash)
    snapsync completion zsh > "${fpath[1]}/_snapsync"
    snapsync completion fish > ~/.config/fish/completions/snapsync.fish
    snapsync completion powershell | Out-String | Invoke-Expression`
}

// Run implements the command.
func (c *completionCmd) Run(w *world) error {
	name := cmp.Or(map[string]string{"powershell": "ps1"}[c.Shell], c.Shell)
	script, err := completions.ReadFile("completions/snapsync." + name)
	if err != nil {
		return err
	}
	_, err = w.Out.Write(script)
	return err
}

//go:embed completions/snapsync.*
var completions embed.FS
