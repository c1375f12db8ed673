package control

import (
	"fmt"
	"os"
	"path/filepath"
)

// Dirs are the directories where the control socket may be, the best first. The last is for state
// directories whose path is too long for a socket.
func Dirs(stateRoot string) []string {
	var dirs []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		dirs = append(dirs, filepath.Join(dir, "snapsync"))
	}
	dirs = append(dirs, filepath.Join(stateRoot, "run"))
	return append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("snapsync-%d", os.Getuid())))
}
