package embeddedpg

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRootHandsPostgresToTheOwnerOfTheData(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := openDir(t)
	data := filepath.Join(dir, "data")
	check(t, os.Mkdir(data, 0o700))
	check(t, os.Chown(data, 12345, 54321))

	who, err := accountFor(dir)
	check(t, err)
	if who.uid != 12345 || who.gid != 54321 || !who.switched {
		t.Errorf("account = %+v", who)
	}
}

func TestAUserWithoutAnEntryIsExplained(t *testing.T) {
	t.Parallel()
	needRoot(t)
	dir := openDir(t)
	data := filepath.Join(dir, "data")
	check(t, os.Mkdir(data, 0o700))
	check(t, os.Chown(data, 12345, 54321)) // the cluster will run as this uid

	_, err := Start(t.Context(), Options{Dir: dir})
	refused(t, err, "uid 12345", "no entry in the list of users", "DATABASE_URL")
}

func TestTheEnvironmentDoesNotSteerTheServer(t *testing.T) {
	t.Parallel()
	got := environment([]string{"PATH=/bin", "PGDATA=/elsewhere", "PGPORT=1", "LC_MESSAGES=de_DE", "HOME=/h"})
	want := []string{"PATH=/bin", "HOME=/h", "LC_ALL=C", "TZ=UTC"}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q", got)
	}
}
