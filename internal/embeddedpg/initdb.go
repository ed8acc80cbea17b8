//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// initialise makes the data folder, or checks that these programs can read the
// one that is there.
func (f *folder) initialise(ctx context.Context, programs programs, options Options) error {
	version, err := os.ReadFile(filepath.Join(f.data(), "PG_VERSION"))
	switch {
	case err == nil:
		return f.checkMajor(strings.TrimSpace(string(version)), programs)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("embeddedpg: read the data's version: %w", err)
	}
	options.Progress(fmt.Sprintf("making a new PostgreSQL %d database in %s", programs.major, f.data()))
	return f.makeData(ctx, programs, options)
}

func (f *folder) checkMajor(version string, programs programs) error {
	if version == strconv.Itoa(programs.major) {
		return nil
	}
	return fmt.Errorf("embeddedpg: the data in %s were written by PostgreSQL %s, but %s holds version %d: "+
		"name the folder of version %s's programs in %s, or dump them with it and restore, or move the folder out of the way",
		f.data(), version, programs.dir, programs.major, version, binVariable)
}

// makeData lets initdb work beside the final place and renames at the end: an
// interrupted run leaves no half-made data folder that looks like a whole one.
func (f *folder) makeData(ctx context.Context, programs programs, options Options) error {
	unfinished := f.data() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("embeddedpg: remove an interrupted attempt: %w", err)
	}
	if err := f.runAs.makePrivate(unfinished); err != nil {
		return err
	}
	arguments := []string{"-D", unfinished, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"}
	if options.Dir == "" {
		arguments = append(arguments, "--no-sync")
	}
	if err := f.runInitdb(exec.CommandContext(ctx, programs.path("initdb"), arguments...)); err != nil {
		return errors.Join(err, ctx.Err()) // a cancelled one says only that it was killed
	}
	if err := os.Rename(unfinished, f.data()); err != nil {
		return fmt.Errorf("embeddedpg: put the new data folder in place: %w", err)
	}
	return nil
}

func (f *folder) runInitdb(initdb *exec.Cmd) error {
	initdb.ExtraFiles = []*os.File{f.lock} // see lockFolder
	output, err := f.runAs.run(initdb)
	if err == nil {
		return nil
	}
	hint := ""
	if strings.Contains(output, "could not look up effective user ID") {
		hint = fmt.Sprintf("\nthis process runs as uid %d, which has no entry in the list of users (/etc/passwd): "+
			"add one, run as a user that has one, or set DATABASE_URL", f.runAs.uid)
	}
	return fmt.Errorf("embeddedpg: initdb: %w\n%s%s", err, output, hint)
}
