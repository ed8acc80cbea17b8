//go:build !linux

package redistest

import "os/exec"

// dieWithParent is known to Linux alone.
func dieWithParent(*exec.Cmd) {}
