package embeddedpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// account is who runs initdb and postgres: ourselves, except that PostgreSQL
// refuses to run as root.
type account struct {
	name     string
	uid, gid int
	switched bool // somebody else than ourselves
}

// accountFor chooses who runs the cluster in dir. Data that are there already
// go on belonging to their owner.
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
		if entry, err := user.Lookup(name); err == nil {
			return switchTo(entry)
		}
	}
	return account{}, errors.New("embeddedpg: postgres does not run as root, and this system has neither a user postgres " +
		"nor nobody: add one, run as another user, or set DATABASE_URL")
}

func switchTo(entry *user.User) (account, error) {
	uid, uidErr := strconv.Atoi(entry.Uid)
	gid, gidErr := strconv.Atoi(entry.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, fmt.Errorf("embeddedpg: the ids of user %s: %w", entry.Username, err)
	}
	return account{name: "user " + entry.Username, uid: uid, gid: gid, switched: true}, nil
}

// give makes the account the owner of path.
func (a account) give(path string) error {
	if !a.switched {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// command prepares a program to be run by the account.
func (a account) command(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = "/" // ours may be closed to the account
	cmd.Env = environment(os.Environ())
	cmd.SysProcAttr = a.attributes()
	return cmd
}

// run runs a short program to its end and returns what it said.
func (a account) run(cmd *exec.Cmd) (string, error) {
	runtime.LockOSThread() // see launch
	defer runtime.UnlockOSThread()
	cmd.WaitDelay = 5 * time.Second
	output, err := a.command(cmd).CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// environment is ours without what would change the programs' behaviour, in
// English, since some of their sentences are looked at.
func environment(ours []string) []string {
	var kept []string
	for _, entry := range ours {
		if !strings.HasPrefix(entry, "PG") && !strings.HasPrefix(entry, "LC_") {
			kept = append(kept, entry)
		}
	}
	return append(kept, "LC_ALL=C", "TZ=UTC")
}
