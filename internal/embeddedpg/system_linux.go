package embeddedpg

import "syscall"

// maxSocketPath is the longest path of a Unix socket, in bytes.
const maxSocketPath = 107

// dieWithUs makes the kernel shut the program down when we are killed.
func dieWithUs(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGINT }

// memoryFolder is a folder that lies in memory and has room for a few test
// databases, or "".
func memoryFolder() string {
	const (
		folder = "/dev/shm"
		room   = 1 << 30 // bytes; containers often have 64 MB
	)
	var system syscall.Statfs_t
	if err := syscall.Statfs(folder, &system); err != nil || system.Bavail*uint64(system.Bsize) < room {
		return ""
	}
	if syscall.Access(folder, 2) != nil { // 2 is the right to write
		return ""
	}
	return folder
}
