package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of dev's folder.
const (
	stateFile  = "dev.json"
	dataFolder = "postgres"
)

// openDevFolder opens the folder in which dev keeps its secret and its data, made
// where it is missing. One that somebody else may write in is refused: they could
// have put a secret there that they know, or a link, through which we would write
// over a file of ours.
//
// What is checked is the folder that is then used, whatever its path leads to a
// moment later, and nobody else can change what is in it.
func openDevFolder(path string) (_ *os.Root, err error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make dev's folder: %w", err)
	}
	folder, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open dev's folder: %w", err)
	}
	if err := checkDevFolder(folder, path); err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

func checkDevFolder(folder *os.Root, path string) error {
	link, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at dev's folder: %w", err)
	}
	info, err := folder.Stat(".")
	if err != nil {
		return fmt.Errorf("look at dev's folder: %w", err)
	}
	if err := errors.Join(checkOwner(link), checkOwner(info), checkUnwritable(info)); err != nil {
		return fmt.Errorf("%s cannot be trusted with data and a secret: %w\nName another folder with --dir", path, err)
	}
	// Data may lie behind a link of our own, on a larger disk.
	data, err := folder.Lstat(dataFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = checkOwner(data)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be trusted with data: %w", filepath.Join(path, dataFolder), err)
	}
	return nil
}

var errNoFile = errors.New("it is no plain file")

// readOwn reads a file of the folder that is ours, and nobody else's to read.
func readOwn(folder *os.Root, name string) ([]byte, error) {
	info, err := folder.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("look at dev's file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	if err := errors.Join(checkOwner(info), checkUnreadable(info)); err != nil {
		return nil, err
	}
	text, err := folder.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read dev's file: %w", err)
	}
	return text, nil
}

// replaceOwn writes a file beside its place and renames it: a crash, or a full
// disk, leaves the old one whole.
func replaceOwn(folder *os.Root, name string, text []byte) error {
	unfinished := name + ".new"
	if err := folder.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an interrupted attempt: %w", err)
	}
	file, err := folder.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make dev's file: %w", err)
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write dev's file: %w", err)
	}
	if err := folder.Rename(unfinished, name); err != nil {
		return fmt.Errorf("put dev's file in place: %w", err)
	}
	return nil
}
