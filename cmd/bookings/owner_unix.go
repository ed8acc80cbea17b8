//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

var (
	errWritable = errors.New("others may write in it (chmod go-w takes that away)")
	errReadable = errors.New("others may read it, and may know the secret: delete it for a new one")
)

// checkOwner fails where a file, or a link itself, was made by somebody else than
// ourselves or root.
func checkOwner(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() || stat.Uid == 0 {
		return nil
	}
	return fmt.Errorf("it belongs to somebody else, uid %d", stat.Uid)
}

func checkUnwritable(info fs.FileInfo) error {
	if info.Mode().Perm()&0o022 != 0 {
		return errWritable
	}
	return nil
}

func checkUnreadable(info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 != 0 {
		return errReadable
	}
	return nil
}
