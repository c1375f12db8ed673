// Package noconfigdir keeps rclone from creating its configuration directory.
//
// When rclone's fs/config package initialises and finds no configuration file, it creates the
// directory where one would be, unless RCLONE_CONFIG is set. A program that was started to copy
// between two local directories must not leave ~/.config/rclone behind. So this package sets the
// variable before, and [Undo] takes it away again.
//
// "Before" is guaranteed: among the packages whose imports are all initialised, Go initialises the
// one with the smallest import path first. This package imports only os, and rclone's fs/config
// needs packages, such as net/http, that are not initialised when os is and sort after this one.
package noconfigdir

import "os"

var set = func() bool {
	if _, ok := os.LookupEnv(name); ok {
		return false
	}
	return os.Setenv(name, "") == nil
}()

const name = "RCLONE_CONFIG"

// Undo removes the variable again if this package has set it. Call it once rclone's packages are
// initialised, that is, from the init function of a package that imports them.
func Undo() {
	if set {
		_ = os.Unsetenv(name)
		set = false
	}
}
