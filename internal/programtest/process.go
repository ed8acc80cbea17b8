package programtest

import (
	"os/exec"
	"testing"
)

// Process is a program that runs.
type Process struct {
	// Stdout and Stderr are what it has written.
	Stdout, Stderr *Text
	// Ended is closed at its end.
	Ended <-chan struct{}

	command *exec.Cmd
}

// Start starts a program, and kills it at the end of the test.
func Start(t testing.TB, command *exec.Cmd) *Process {
	t.Helper()
	ended := make(chan struct{})
	p := &Process{Stdout: &Text{}, Stderr: &Text{}, Ended: ended, command: command}
	command.Stdout, command.Stderr = p.Stdout, p.Stderr
	if err := command.Start(); err != nil {
		t.Fatal("programtest: ", err)
	}
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s%s", command, p.Stdout, p.Stderr)
		}
	})
	return p
}

// Kill is kill -9. What it wrote until then is there.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.Ended
}

// ExitCode waits for the end; it is -1 where the program was killed.
func (p *Process) ExitCode() int {
	<-p.Ended
	return p.command.ProcessState.ExitCode()
}
