//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// account is the system's user that runs initdb and postgres: ourselves, except
// that PostgreSQL refuses to run as root.
type account struct {
	name     string
	uid, gid int
	switched bool // somebody else than ourselves
}

// accountFor chooses who runs the cluster in dir. Data that are there already
// go on belonging to their owner: another one could not read them.
func accountFor(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if info, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		if uid, gid := owner(info); uid != 0 {
			return account{name: fmt.Sprintf("uid %d", uid), uid: uid, gid: gid, switched: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		entry, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(entry.Uid)
		gid, gidErr := strconv.Atoi(entry.Gid)
		return account{name: "user " + name, uid: uid, gid: gid, switched: true}, errors.Join(uidErr, gidErr)
	}
	return account{}, errors.New("embeddedpg: postgres does not run as root, and this system has neither a user postgres " +
		"nor nobody: add one, run as another user, or set DATABASE_URL")
}

func owner(info fs.FileInfo) (uid, gid int) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), int(stat.Gid)
	}
	return -1, -1
}

// makePrivate makes a folder that belongs to the account alone, or takes one
// that is there.
func (a account) makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("embeddedpg: make a private folder: %w", err)
	}
	err := os.Chmod(dir, 0o700)
	if a.switched {
		err = errors.Join(err, os.Chown(dir, a.uid, a.gid))
	}
	if err != nil {
		return fmt.Errorf("embeddedpg: make %s private: %w", dir, err)
	}
	return nil
}

// canEnter lets the account try: the kernel knows best of groups, links and
// access lists.
func (a account) canEnter(ctx context.Context, dir string) bool {
	if !a.switched {
		return true
	}
	_, err := a.run(exec.CommandContext(ctx, "sh", "-c", `cd -- "$0"`, dir))
	return err == nil
}

// prepare makes a program one that the account runs.
func (a account) prepare(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = "/" // our own may be closed to the account
	// Nothing of our environment steers PostgreSQL (PGDATESTYLE would), and it
	// speaks English, since one of its sentences is looked at.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	// With a process group of its own, ^C in the terminal reaches us and not it:
	// the server goes on until our requests have ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// run runs a short program to its end and returns its output.
func (a account) run(cmd *exec.Cmd) (string, error) {
	cmd.WaitDelay = 5 * time.Second // its children may keep the output open when it was killed
	output, err := a.prepare(cmd).CombinedOutput()
	return strings.TrimSpace(string(output)), err
}
