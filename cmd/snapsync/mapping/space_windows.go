package mapping

import "golang.org/x/sys/windows"

// FreeSpace is what this user may still write on the disk of dir, in bytes.
func FreeSpace(dir string) (free uint64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return free, err
}
