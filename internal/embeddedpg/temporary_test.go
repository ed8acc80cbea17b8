//go:build unix

package embeddedpg

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// leftover makes a temporary folder of an age.
func leftover(t *testing.T, base, name string, age time.Duration) string {
	t.Helper()
	dir := filepath.Join(base, temporaryPrefix+name)
	check(t, os.Mkdir(dir, 0o755))
	check(t, os.WriteFile(lockPath(dir), nil, 0o644))
	then := time.Now().Add(-age)
	check(t, os.Chtimes(dir, then, then))
	return dir
}

func TestLeftoversAreRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	abandoned := leftover(t, base, "abandoned", time.Hour)
	young := leftover(t, base, "young", 0)
	held := leftover(t, base, "held", time.Hour)
	lock, err := lockFolder(t.Context(), held)
	check(t, err)
	defer func() { check(t, release(lock)) }()
	elsewhere := leftover(t, t.TempDir(), "elsewhere", time.Hour)
	check(t, os.Symlink(elsewhere, filepath.Join(base, temporaryPrefix+"link")))

	removeLeftovers(base)

	gone(t, abandoned)
	for _, dir := range []string{young, held, elsewhere} {
		if _, err := os.Stat(lockPath(dir)); err != nil {
			t.Errorf("removed %s: %v", dir, err)
		}
	}
}

func TestAForeignFolderIsNotRemoved(t *testing.T) {
	t.Parallel()
	needRoot(t)
	base := t.TempDir()
	foreign := leftover(t, base, "foreign", time.Hour)
	check(t, os.Chown(foreign, 12345, 12345))
	removeLeftovers(base)
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("removed: %v", err)
	}
}

func TestWhatAKilledProcessLeftIsRemoved(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a database anew")
	}
	starter, dir := child(t, "-")
	kill(t, starter)
	lock, err := lockFolder(t.Context(), dir) // once its postgres is gone
	check(t, err)
	check(t, release(lock))
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		t.Fatalf("the kill left no data to remove: %v", err)
	}
	then := time.Now().Add(-2 * leftoverAge)
	check(t, os.Chtimes(dir, then, then))

	check(t, run(t, Options{}).Stop())
	gone(t, dir)
}
