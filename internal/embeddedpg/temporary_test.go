package embeddedpg

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// leftover makes a temporary folder of an age that a sweep looks at.
func leftover(t *testing.T, base, name string, age time.Duration) string {
	t.Helper()
	dir := filepath.Join(base, temporaryPrefix+name)
	check(t, os.Mkdir(dir, 0o755))
	check(t, os.WriteFile(lockPath(dir), nil, 0o644))
	then := time.Now().Add(-age)
	check(t, os.Chtimes(dir, then, then))
	return dir
}

func TestASweepTakesWhatIsAbandonedAndNothingElse(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	abandoned := leftover(t, base, "abandoned", time.Hour)
	young := leftover(t, base, "young", 0)
	held := leftover(t, base, "held", time.Hour)
	lock, err := tryLock(held, 0)
	check(t, err)
	defer func() { check(t, release(lock)) }()
	elsewhere := leftover(t, t.TempDir(), "elsewhere", time.Hour)
	check(t, os.Symlink(elsewhere, filepath.Join(base, temporaryPrefix+"link")))

	sweep(base)

	gone(t, abandoned)
	for _, dir := range []string{young, held, elsewhere} {
		if _, err := os.Stat(lockPath(dir)); err != nil {
			t.Errorf("swept %s: %v", dir, err)
		}
	}
}

func TestAForeignFolderIsNotSwept(t *testing.T) {
	t.Parallel()
	needRoot(t)
	base := t.TempDir()
	foreign := leftover(t, base, "foreign", time.Hour)
	check(t, os.Chown(foreign, 12345, 12345))
	sweep(base)
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("swept: %v", err)
	}
}

func TestWhatAKilledProcessLeftIsSwept(t *testing.T) {
	t.Parallel()
	starter, dir := child(t, "-")
	kill(t, starter)
	lock, err := acquire(t.Context(), dir) // once its postgres is gone
	check(t, err)
	check(t, release(lock))
	if _, err := os.Stat(filepath.Join(dir, "data")); err != nil {
		t.Fatalf("the kill left no data to sweep: %v", err)
	}
	then := time.Now().Add(-2 * sweepAfter)
	check(t, os.Chtimes(dir, then, then))

	check(t, run(t, Options{}).Stop())
	gone(t, dir)
}
