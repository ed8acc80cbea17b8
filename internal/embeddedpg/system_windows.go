package embeddedpg

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// This package compiles on Windows, and says there what to do instead.

const maxSocketPath = 107

func (a account) attributes() *syscall.SysProcAttr { return nil }

func owner(fs.FileInfo) (uid, gid int) { return -1, -1 }

func flock(*os.File) error {
	return errors.New("embeddedpg: a private PostgreSQL is not supported on Windows: start one yourself and set DATABASE_URL")
}

func alive(int) bool { return false }

func memoryFolder() string { return "" }
