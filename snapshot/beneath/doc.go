// Package beneath opens what lies beneath an open directory without following a symbolic link on the way.
//
// # What it guarantees
//
// What is opened was reached from the directory by names of directories alone, whatever somebody renames or replaces
// meanwhile. A symbolic link in place of a directory gives ELOOP, a step upwards EXDEV. Linux from 5.6 has a system call for
// that, openat2; elsewhere, and where a sandbox refuses it, the path is walked name by name.
//
// # What it leaves to others
//
// What an error means. Windows, where os.Root does nearly the same.
package beneath
