package watch

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
)

const mountTable = "/proc/self/mountinfo"

// remoteKinds are the names of the kinds in remote (see there), which are not touched at all. What
// begins with "fuse" or "nfs" is one of them as well.
var remoteKinds = map[string]bool{
	"9p": true, "afs": true, "autofs": true, "beegfs": true, "ceph": true, "cifs": true, "coda": true,
	"gfs2": true, "gpfs": true, "lustre": true, "ocfs2": true, "orangefs": true, "smb3": true,
	"smbfs": true, "vboxsf": true, "virtiofs": true, "vmhgfs": true,
}

// readMounts returns what is mounted beneath root, by relative path; nil where that is not known.
func readMounts(root string, log *slog.Logger) map[string]mount {
	f, err := os.Open(mountTable)
	if err != nil {
		log.Debug("the table of mounts cannot be read", "error", err)
		return nil
	}
	defer f.Close()
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved
	}
	prefix := strings.TrimSuffix(root, "/") + "/"
	beneath := func(m *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(m.Mountpoint, prefix) || m.Mountpoint == prefix, false
	}
	infos, err := mountinfo.GetMountsFromReader(f, beneath)
	if err != nil {
		log.Debug("the table of mounts cannot be understood", "error", err)
		return nil
	}
	mounts := make(map[string]mount, len(infos))
	for _, m := range infos {
		mounts[m.Mountpoint[len(prefix):]] = mount{ // the last one at a path is the one on top
			what:  fmt.Sprintf("%s of device %d:%d at %s, mount %d", m.FSType, m.Major, m.Minor, m.Root, m.ID),
			local: !remoteKinds[m.FSType] && !strings.HasPrefix(m.FSType, "fuse") && !strings.HasPrefix(m.FSType, "nfs"),
		}
	}
	return mounts
}
