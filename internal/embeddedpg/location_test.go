//go:build unix

package embeddedpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFolderClosedToPostgresIsReplacedByAnOpenOne(t *testing.T) {
	t.Parallel()
	needRoot(t)
	home, refuge := openDir(t), openDir(t)
	check(t, os.Chmod(home, 0o700))
	wanted := filepath.Join(home, "project", "data")

	var said string
	dir, who, err := locate(t.Context(), wanted, refuge, func(line string) { said = line })
	check(t, err)
	if filepath.Dir(dir) != refuge || !who.switched {
		t.Errorf("located in %s as %+v", dir, who)
	}
	if !strings.Contains(said, dir) || !strings.Contains(said, home) {
		t.Errorf("said %q", said)
	}
	if again, _, _ := locate(t.Context(), wanted, refuge, func(string) {}); again != dir {
		t.Errorf("the second time located in %s, not in %s", again, dir)
	}
	gone(t, filepath.Dir(wanted))
}

func TestALinkDoesNotHideAClosedFolder(t *testing.T) {
	t.Parallel()
	needRoot(t)
	shut, open := openDir(t), openDir(t)
	check(t, os.Mkdir(filepath.Join(shut, "inner"), 0o755))
	check(t, os.Chmod(shut, 0o700))
	link := filepath.Join(open, "link")
	check(t, os.Symlink(filepath.Join(shut, "inner"), link))

	beyond := firstExisting(filepath.Join(link, "not", "there", "yet"))
	if beyond != link || postgresAccount(t).canEnter(t.Context(), beyond) {
		t.Errorf("%s can be entered", beyond)
	}
	if !postgresAccount(t).canEnter(t.Context(), open) {
		t.Error("an open folder cannot be entered")
	}
}

func TestAnOwnFolderNeedsNoReplacement(t *testing.T) {
	t.Parallel()
	ourselves := account{uid: os.Geteuid(), gid: os.Getegid()}
	if !ourselves.canEnter(t.Context(), t.TempDir()) {
		t.Error("we cannot enter our own folder")
	}
}
