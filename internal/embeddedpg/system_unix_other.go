//go:build unix && !linux

package embeddedpg

import "syscall"

// maxSocketPath is the longest path of a Unix socket, in bytes.
const maxSocketPath = 103

// dieWithUs cannot be had here: the next start shuts an orphan down instead.
func dieWithUs(*syscall.SysProcAttr) {}

// memoryFolder is "": there is none that is always there.
func memoryFolder() string { return "" }
