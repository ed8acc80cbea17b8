//go:build !unix

package main

import "io/fs"

// Elsewhere a file's mode says nothing of who may write it, and a user's state
// folder is closed to others by the system.

func checkOwner(fs.FileInfo) error { return nil }

func checkUnwritable(fs.FileInfo) error { return nil }

func checkUnreadable(fs.FileInfo) error { return nil }
