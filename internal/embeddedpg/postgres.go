//go:build unix

package embeddedpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// patience is how long a shutdown may take before postgres is killed.
const patience = 10 * time.Second

// untilWeDie is a shell script that becomes the program given, and leaves a
// watcher behind that shuts the program down when we die, however that happens.
// Nobody but us holds the other end of the pipe that the watcher reads, so it
// reads the end of it when we are gone; a line tells it that all is well.
//
// Linux alone could do this by Pdeathsig. That signal comes when the thread
// ends that started the program, not the process, and macOS has none.
//
// $$ is the process that exec turns into the program, in subshells too. There
// are two of them so that the watcher is no child of postgres, which logs the
// end of children that it does not know. It closes the lock (3): held by the
// watcher, the folder would not be free when postgres has ended.
const untilWeDie = `( { read -r _ <&4 || kill -INT $$; } 3<&- & ); exec "$@" 4<&-`

// process is the postgres that we started.
type process struct {
	cmd      *exec.Cmd
	shutDown func()
	done     chan struct{} // closed when it has ended
}

func startPostgres(ctx context.Context, folder *folder, programs programs, options Options) (*process, error) {
	log, err := folder.openLog()
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // postgres has a descriptor of its own

	arguments := []string{"-c", untilWeDie, "sh", programs.path("postgres"), "-D", folder.data()}
	arguments = append(arguments, settings(folder.socketDir, options)...)
	// The server outlives Start and its context.
	running, shutDown := context.WithCancel(context.WithoutCancel(ctx))
	cmd := folder.runAs.prepare(exec.CommandContext(running, "sh", arguments...))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // a fast shutdown, to PostgreSQL
	cmd.WaitDelay = patience
	return launch(cmd, shutDown, folder.lock)
}

// settings are postgres' arguments. They win over postgresql.conf.
func settings(socketDir string, options Options) []string {
	arguments := []string{"-c", "listen_addresses=", "-c", "unix_socket_directories=" + socketDir, "-c", "port=" + port}
	if options.Dir == "" {
		arguments = append(arguments,
			"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "max_wal_size=128MB", // it may lie in memory
			"-c", "max_connections=300") // many tests at once
	}
	return arguments
}

func launch(cmd *exec.Cmd, shutDown context.CancelFunc, lock *os.File) (*process, error) {
	watched, alive, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("embeddedpg: make a pipe: %w", err)
	}
	cmd.ExtraFiles = []*os.File{lock, watched} // 3 and 4 there
	err = errors.Join(cmd.Start(), watched.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embeddedpg: start postgres: %w", err), alive.Close())
	}
	p := &process{cmd: cmd, shutDown: shutDown, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()                 // cmd.ProcessState says it better
		_, _ = alive.WriteString("\n") // or the watcher would send a signal to nobody, or to somebody else
		_ = alive.Close()
		close(p.done)
	}()
	return p, nil
}

// end shuts postgres down where it still runs.
func (p *process) end() error {
	select {
	case <-p.done:
		return fmt.Errorf("embeddedpg: %w", p.unexpectedEnd())
	default:
	}
	p.shutDown()
	<-p.done
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("embeddedpg: postgres did not stop cleanly: %s", p.cmd.ProcessState)
	}
	return nil
}

// unexpectedEnd says how a postgres ended that nobody had told to.
func (p *process) unexpectedEnd() error {
	return fmt.Errorf("postgres ended by itself: %s", p.cmd.ProcessState)
}
