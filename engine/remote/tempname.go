package remote

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/snapsync/snapsync/snapshot"
)

// Names of our own on the remote are a function of the path that they stand for, so that what an interrupted run left can be
// found, and replaced, without having been written down:
//
//	photos/.snapsync-0f3a…9c.tmp       a file or directory on its way between two names
//	photos/.snapsync-0f3a…9c.partial   an upload that is not complete
const (
	tempPrefix    = ".snapsync-"
	tempSuffix    = ".tmp"
	PartialSuffix = ".partial"
	tempDigits    = 16
)

// TempName returns the name, in the same directory, under which path may be parked while it moves.
func TempName(path string) string { return beside(path, tempSuffix) }

// PartialName returns the name, in the same directory, under which path may be uploaded.
func PartialName(path string) string { return beside(path, PartialSuffix) }

func beside(path, suffix string) string {
	var sum [tempDigits / 2]byte
	binary.BigEndian.PutUint64(sum[:], xxh3.HashString(path))
	dir, _ := snapshot.Split(path)
	return snapshot.Join(dir, tempPrefix+hex.EncodeToString(sum[:])+suffix)
}

// IsTempName reports whether name, the last of a path, is one that TempName or PartialName makes.
func IsTempName(name string) bool {
	rest, ok := strings.CutPrefix(name, tempPrefix)
	if !ok || len(rest) <= tempDigits {
		return false
	}
	if suffix := rest[tempDigits:]; suffix != tempSuffix && suffix != PartialSuffix {
		return false
	}
	return strings.Trim(rest[:tempDigits], "0123456789abcdef") == ""
}

// ProbePair is two names that a remote may take for one.
type ProbePair struct {
	Names [2]string
	One   func(*Caps) *bool // the capability that tells
}

// ProbeNames are names in the root that nobody else uses, and by which a remote shows what it takes for one.
func ProbeNames() [3]ProbePair {
	letters, form, end := PartialName("letters"), PartialName("form"), PartialName("end")
	return [3]ProbePair{
		{[2]string{letters, strings.ToUpper(letters)}, func(c *Caps) *bool { return &c.CaseInsensitive }},
		{[2]string{form + "\u00e9", form + "e\u0301"}, func(c *Caps) *bool { return &c.FormInsensitive }},
		{[2]string{end, end + "."}, func(c *Caps) *bool { return &c.EndInsensitive }},
	}
}
