package embeddedpg

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// patience is how long a shutdown may take before it is made a hard one.
const patience = 10 * time.Second

// process is the postgres we started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func startPostgres(folder *folder, programs programs, options Options) (*process, error) {
	log, err := folder.openLog()
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // postgres has a descriptor of its own

	arguments := append([]string{"-D", folder.data()}, options.settings(folder.socketDir)...)
	cmd := folder.runAs.command(exec.Command(programs.path("postgres"), arguments...))
	cmd.Stdout, cmd.Stderr = log, log
	// postgres shares the lock, so that Dir is not free before the last of its
	// processes is gone, even when we die first.
	cmd.ExtraFiles = []*os.File{folder.lock}
	return launch(cmd)
}

// launch starts the program and waits for its end in a thread of its own: Linux
// sends the death signal when the thread that started a child ends, not when
// the process does, so that thread has to live as long as the child.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // cmd.ProcessState says it better
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("embeddedpg: start %s: %w", filepath.Base(cmd.Path), err)
	}
	return p, nil
}

// end asks for a fast shutdown, and for an immediate one when that takes too long.
func (p *process) end() error {
	select {
	case <-p.done:
		return fmt.Errorf("embeddedpg: %w", p.ending())
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGINT) // fails only when it has just ended
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	<-p.done
	return fmt.Errorf("embeddedpg: postgres took more than %s to stop and was cut short", patience)
}

// ending says how a postgres ended that nobody had told to.
func (p *process) ending() error {
	return fmt.Errorf("postgres ended by itself: %s", p.cmd.ProcessState)
}
