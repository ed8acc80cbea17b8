package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

const (
	oldestMajor = 14
	extension   = "btree_gist" // the database keeps bookings from overlapping with it
)

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// programs is a folder with a usable initdb and postgres.
type programs struct {
	dir   string
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// inspect tells whether the folder holds a PostgreSQL that runs here, as the
// account that will run it, is new enough and complete. The error says what is
// missing, without the folder's name.
func inspect(ctx context.Context, dir string, runAs account) (programs, error) {
	p := programs{dir: dir}
	for _, name := range []string{"initdb", "postgres"} {
		said, err := runAs.run(exec.CommandContext(ctx, p.path(name), "--version"))
		if err != nil {
			return programs{}, fmt.Errorf("%s does not run: %w %s", name, err, said)
		}
		if p.major, err = major(said); err != nil {
			return programs{}, err
		}
	}
	if p.major < oldestMajor {
		return programs{}, fmt.Errorf("version %d is too old, %d is needed", p.major, oldestMajor)
	}
	if !p.hasExtension(ctx, runAs) {
		return programs{}, errors.New("the extension " + extension + " is missing (part of the contrib package)")
	}
	return p, nil
}

func major(said string) (int, error) {
	found := versionPattern.FindStringSubmatch(said)
	if found == nil {
		return 0, fmt.Errorf("not a version of PostgreSQL: %q", said)
	}
	number, err := strconv.Atoi(found[1])
	if err != nil {
		return 0, fmt.Errorf("not a version of PostgreSQL: %q", said)
	}
	return number, nil
}

// hasExtension looks where pg_config points to, and, as it is often not
// installed, where the share folder lies relative to the programs.
func (p programs) hasExtension(ctx context.Context, runAs account) bool {
	shares := []string{
		p.path("../share/postgresql"),
		p.path("../share/pgsql"), // Fedora
		p.path("../share"),       // the PostgreSQL project's own RPMs
		p.path(fmt.Sprintf("../../../../share/postgresql/%d", p.major)), // Debian
		p.path(fmt.Sprintf("../../share/postgresql%d", p.major)),        // Alpine, below /usr/libexec
	}
	if said, err := runAs.run(exec.CommandContext(ctx, p.path("pg_config"), "--sharedir")); err == nil {
		shares = append([]string{said}, shares...)
	}
	for _, share := range shares {
		if _, err := os.Stat(filepath.Join(share, "extension", extension+".control")); err == nil {
			return true
		}
	}
	return false
}
