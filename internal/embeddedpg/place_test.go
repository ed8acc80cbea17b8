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
	dir, who, err := settle(wanted, refuge, func(line string) { said = line })
	check(t, err)
	if filepath.Dir(dir) != refuge || !who.switched {
		t.Errorf("settled in %s as %+v", dir, who)
	}
	if !strings.Contains(said, dir) || !strings.Contains(said, home) {
		t.Errorf("said %q", said)
	}
	if again, _, _ := settle(wanted, refuge, func(string) {}); again != dir {
		t.Errorf("the second time settled in %s, not in %s", again, dir)
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

	if got := obstacle(filepath.Join(link, "not", "there", "yet"), postgresAccount(t)); got != shut {
		t.Errorf("obstacle = %q, not %q", got, shut)
	}
	if got := obstacle(open, postgresAccount(t)); got != "" {
		t.Errorf("obstacle = %q on an open way", got)
	}
}

func TestAnOwnFolderNeedsNoReplacement(t *testing.T) {
	t.Parallel()
	ourselves := account{uid: os.Geteuid(), gid: os.Getegid()}
	if got := obstacle(t.TempDir(), ourselves); got != "" {
		t.Errorf("obstacle = %q", got)
	}
}
