//go:build unix

package embeddedpg

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	cmd := exec.CommandContext(t.Context(), "env")
	cmd.Env = []string{"PGDATA=/elsewhere", "PGDATESTYLE=German", "LC_MESSAGES=de_DE"}
	got, err := postgresAccount(t).run(cmd)
	check(t, err)
	lines := strings.Split(got, "\n")
	slices.Sort(lines)
	if want := []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH"), "TZ=UTC"}; !slices.Equal(lines, want) {
		t.Errorf("environment = %q", got)
	}
}
