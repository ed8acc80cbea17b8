package programtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"

	"bookings/internal/pgtest"
)

// asProgram makes the test binary be a program that speaks and then waits.
const asProgram = "PROGRAMTEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		fmt.Fprintln(os.Stdout, "to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}
	os.Exit(m.Run())
}

func startProgram(t *testing.T) *Process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = []string{asProgram + "=1"}
	if _, err := command.StdinPipe(); err != nil { // in which nothing ever comes
		t.Fatal(err)
	}
	return Start(t, command)
}

func TestAProgramIsReadWhileItRunsAndEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var p *Process
	hasEnded := func() bool {
		select {
		case <-p.Ended:
			return true
		default:
			return false
		}
	}
	t.Cleanup(func() { // comes after that of the program
		if !hasEnded() {
			t.Error("it outlives its test")
		}
	})
	p = startProgram(t)
	pgtest.Eventually(t, "what it says", func() bool { return p.Stdout.Has("to stdout") && p.Stderr.Has("to stderr") })
	if hasEnded() {
		t.Error("it has not waited")
	}
}

func TestAServerHasEndedWhenItIsStopped(t *testing.T) {
	t.Parallel()
	for name, stops := range map[string]bool{"by its test": true, "by the test's end": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := 0
			check := func() {
				if ended != 1 {
					t.Errorf("it has ended %d times", ended)
				}
			}
			t.Cleanup(check) // comes after that of the server
			address, stop := Serve(t, func(ctx context.Context, listening func(net.Addr)) error {
				listening(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080})
				<-ctx.Done()
				ended++
				return nil
			})
			if address != "127.0.0.1:8080" {
				t.Errorf("it listens on %s", address)
			}
			if stops {
				stop()
				check()
			}
		})
	}
}
