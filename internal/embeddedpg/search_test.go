package embeddedpg

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// bare are places with nothing in them.
func bare(t *testing.T) places {
	t.Helper()
	cache := openDir(t)
	return places{
		variable: func(string) string { return "" },
		lookPath: func(string) (string, error) { return "", errors.New("hidden") },
		cache:    func() (string, error) { return cache, nil },
	}
}

func searchIn(t *testing.T, places places) *search {
	t.Helper()
	return &search{places: places, runAs: postgresAccount(t), say: func(line string) { t.Log(line) }}
}

// pretend makes a folder of programs that only know their version.
func pretend(t *testing.T, dir string, major int, contrib bool) string {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	for _, name := range []string{"initdb", "postgres"} {
		script(t, filepath.Join(bin, name), fmt.Sprintf("echo '%s (PostgreSQL) %d.3'", name, major))
	}
	if contrib {
		script(t, filepath.Join(dir, "share", "extension", extension+".control"), "")
	}
	return bin
}

func TestTheHighestUsableVersionIsTaken(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	pretend(t, filepath.Join(root, "9"), 9, true)
	want := pretend(t, filepath.Join(root, "16"), 16, true)
	incomplete := pretend(t, filepath.Join(root, "17"), 17, false)
	places := bare(t)
	places.patterns = []string{filepath.Join(root, "*", "bin")}

	search := searchIn(t, places)
	found, err := search.find(t.Context())
	check(t, err)
	if found.dir != want || found.major != 16 {
		t.Errorf("found %+v", found)
	}
	refused(t, errors.New(fmt.Sprint(search.passed)), incomplete, extension, "contrib")
}

func TestThePathIsFollowedToTheRealFolder(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	bin := pretend(t, filepath.Join(root, "real"), 16, true)
	places := bare(t)
	places.lookPath = linkTo(t, filepath.Join(bin, "initdb"))

	found, err := searchIn(t, places).find(t.Context())
	check(t, err)
	if found.dir != bin {
		t.Errorf("found %s", found.dir)
	}
}

func TestTheNamedFolderIsTakenOrRefused(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	old := pretend(t, filepath.Join(root, "old"), 13, true)
	good := pretend(t, filepath.Join(root, "good"), 14, true)
	places := bare(t)
	places.patterns = []string{good}

	places.variable = func(string) string { return old }
	_, err := searchIn(t, places).find(t.Context())
	refused(t, err, binVariable, old, "13 is too old")

	places.variable = func(string) string { return good }
	found, err := searchIn(t, places).find(t.Context())
	check(t, err)
	if found.dir != good || found.major != 14 {
		t.Errorf("found %+v", found)
	}
}

func TestFindingNothingListsTheWaysOut(t *testing.T) {
	t.Parallel()
	_, err := searchIn(t, bare(t)).find(t.Context())
	refused(t, err, "DATABASE_URL", "apt-get install postgresql", "brew install", binVariable, "npm is not installed")
}

func TestProgramsClosedToTheAccountArePassedOver(t *testing.T) {
	t.Parallel()
	needRoot(t)
	places := bare(t)
	shut := t.TempDir() // mode 0700 on the way
	places.patterns = []string{pretend(t, shut, 16, true)}
	_, err := searchIn(t, places).find(t.Context())
	refused(t, err, shut, "permission denied")
}
