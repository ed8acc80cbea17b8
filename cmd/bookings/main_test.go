package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

// asProgram makes the test binary be the program: the tests start real
// processes, which can be killed.
const asProgram = "BOOKINGS_TEST_AS_PROGRAM"

const (
	testSecret   = "a secret for tests, which nobody else may know"
	testInternal = "an internal token for tests that nobody else may know"
	// patience bounds every wait; it is no measure of speed.
	patience = time.Minute
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	pgtest.Main(m)
}

// process is the program, running.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string
	stderr *programtest.Text
	// internal is where internal services connect.
	internal string
	ended    chan struct{}
	err      error
}

// launch starts the program with an environment of its own.
func launch(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, environ...)
	p := &process{t: t, cmd: cmd, lines: make(chan string, 1000), stderr: &programtest.Text{}, ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.follow(stdout)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("bookings %s said on stderr:\n%s", strings.Join(args, " "), p.stderr)
		}
	})
	return p
}

func (p *process) follow(stdout io.Reader) {
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		p.lines <- scanner.Text()
	}
	close(p.lines)
	p.err = p.cmd.Wait()
	close(p.ended)
}

// line waits for a line of standard output that contains the text.
func (p *process) line(text string) string {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("the program ended before it said %q; stderr:\n%s", text, p.stderr)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			p.t.Fatalf("the program never said %q", text)
		}
	}
}

// signal sends a signal and waits for the end.
func (p *process) signal(signal syscall.Signal) error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		for range p.lines { // nobody reads them any more
		}
	}()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.t.Fatal("the program did not end")
		return nil
	}
}

// once runs the program to its end and returns its exit code and what it said.
func once(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append([]string{asProgram + "=1"}, environ...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
