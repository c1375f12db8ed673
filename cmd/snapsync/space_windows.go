package main

import "golang.org/x/sys/windows"

const onUnix = false

// freeSpace is what this user may still write on the disk of dir, in bytes.
func freeSpace(dir string) (free uint64, err error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return free, err
}
