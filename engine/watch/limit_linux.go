package watch

import (
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
)

// moreWatches returns the line that raises the limit so that there is room for missing directories
// more, and for some others: the limit counts all watches of the user.
func moreWatches(missing int) string {
	return raise("max_user_watches", (inotifyLimit("max_user_watches", 8192)+missing)*5/4)
}

// moreInstances returns what may be missing where the system gives no watcher at all.
func moreInstances() string {
	return raise("max_user_instances", inotifyLimit("max_user_instances", 128)+1) + ", or a higher limit of open files (ulimit -n)"
}

// raise rounds up to a power of two.
func raise(name string, atLeast int) string {
	return fmt.Sprintf("sysctl fs.inotify.%s=%d", name, 1<<bits.Len(uint(atLeast-1)))
}

// inotifyLimit reads a limit of inotify(7).
func inotifyLimit(name string, otherwise int) int {
	text, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return otherwise
	}
	return n
}
