//go:build unix

package embeddedpg

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// bare are sources with nothing in them.
func bare(t *testing.T) sources {
	t.Helper()
	return sources{lookPath: hidden, cache: openDir(t)}
}

func hidden(string) (string, error) { return "", errors.New("hidden") }

// findIn looks through the sources and returns what it says on the way too.
func findIn(t *testing.T, sources sources) (found programs, said string, err error) {
	t.Helper()
	var lines []string
	options := Options{Progress: func(line string) { lines = append(lines, line) }}.complete()
	found, err = sources.find(t.Context(), postgresAccount(t), options)
	return found, strings.Join(lines, "\n"), err
}

// pretend makes a folder of programs that only know their version.
func pretend(t *testing.T, dir string, major int) string {
	t.Helper()
	bin := filepath.Join(dir, "bin")
	for _, name := range []string{"initdb", "postgres"} {
		script(t, filepath.Join(bin, name), fmt.Sprintf("echo '%s (PostgreSQL) %d.3 (Debian 3)'", name, major))
	}
	return bin
}

func TestTheHighestUsableVersionIsTaken(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	pretend(t, filepath.Join(root, "9"), 9)
	want := pretend(t, filepath.Join(root, "16"), 16)
	broken := filepath.Join(root, "17", "bin")
	script(t, filepath.Join(broken, "postgres"), "echo a library is missing; exit 3")
	sources := bare(t)
	sources.patterns = []string{filepath.Join(root, "*", "bin")}

	found, said, err := findIn(t, sources)
	check(t, err)
	if found.dir != want || found.major != 16 {
		t.Errorf("found %+v", found)
	}
	refused(t, errors.New(said), broken, "does not run", "exit status 3", "a library is missing")
}

func TestThePathIsFollowedToTheRealFolder(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	bin := pretend(t, filepath.Join(root, "real"), 16)
	sources := bare(t)
	sources.lookPath = linkTo(t, filepath.Join(bin, "initdb"))

	found, _, err := findIn(t, sources)
	check(t, err)
	if found.dir != bin {
		t.Errorf("found %s", found.dir)
	}
}

func TestTheNamedFolderIsTakenOrRefused(t *testing.T) {
	t.Parallel()
	root := openDir(t)
	old := pretend(t, filepath.Join(root, "old"), 13)
	good := pretend(t, filepath.Join(root, "good"), 14)
	sources := bare(t)
	sources.patterns = []string{good}

	sources.named = old
	_, _, err := findIn(t, sources)
	refused(t, err, binVariable, old, "13 is too old")

	sources.named = good
	found, _, err := findIn(t, sources)
	check(t, err)
	if found.dir != good || found.major != 14 {
		t.Errorf("found %+v", found)
	}
}

func TestFindingNothingListsTheWaysOut(t *testing.T) {
	t.Parallel()
	_, _, err := findIn(t, bare(t))
	refused(t, err, "DATABASE_URL", "apt-get install postgresql", "brew install", binVariable, "npm is not installed")
}

func TestProgramsClosedToTheAccountArePassedOver(t *testing.T) {
	t.Parallel()
	needRoot(t)
	sources := bare(t)
	shut := t.TempDir() // mode 0700 on the way
	sources.patterns = []string{pretend(t, shut, 16)}
	_, _, err := findIn(t, sources)
	refused(t, err, shut, "permission denied")
}
