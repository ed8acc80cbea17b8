package embeddedpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateDir holds the data of a cluster that root started, when its own folder
// is closed to the account that runs it.
const stateDir = "/var/lib/bookings"

// settle decides where a cluster lives and who runs it. A folder below a home
// that is closed to the account is replaced by one below refuge, always the
// same for the same dir.
func settle(dir, refuge string, say func(string)) (string, account, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", account{}, fmt.Errorf("embeddedpg: the data's folder: %w", err)
	}
	runAs, err := accountFor(dir)
	if err != nil {
		return "", account{}, err
	}
	closed := obstacle(dir, runAs)
	if closed == "" {
		return dir, runAs, nil
	}
	other := filepath.Join(refuge, fmt.Sprintf("%s-%.4x", filepath.Base(dir), sha256.Sum256([]byte(dir))))
	say(fmt.Sprintf("the data go to %s: postgres runs as %s, who may not enter %s", other, runAs.name, closed))
	runAs, err = accountFor(other)
	return other, runAs, err
}

// obstacle is the first folder, from dir upwards, that the account may not
// enter, or "" when the way is free.
func obstacle(dir string, who account) string {
	if !who.switched {
		return ""
	}
	resolved, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return obstacle(filepath.Dir(dir), who)
	}
	for {
		info, err := os.Stat(resolved)
		if err != nil || !mayEnter(info, who) {
			return resolved
		}
		if resolved == filepath.Dir(resolved) {
			return ""
		}
		resolved = filepath.Dir(resolved)
	}
}

func mayEnter(info fs.FileInfo, who account) bool {
	uid, gid := owner(info)
	switch {
	case uid == who.uid:
		return info.Mode()&0o100 != 0
	case gid == who.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

// makeOpen is os.MkdirAll, but everybody may enter what it makes, whatever the
// umask: what is private lies in folders of its own further down.
func makeOpen(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeOpen(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return os.Chmod(dir, 0o755)
}

// fitsSocket tells whether a socket in dir has a path that the system takes. A
// comma would make it two paths to postgres and to pgx.
func fitsSocket(dir string) bool {
	path := filepath.Join(dir, ".s.PGSQL."+port)
	return len(path) <= maxSocketPath && !strings.Contains(path, ",")
}
