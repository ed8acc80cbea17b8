package redistest

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps the process from outliving a test binary that is killed.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
