package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bookings/internal/pgtest"
	"bookings/internal/programtest"
)

func TestTheGoExampleFollowsAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	url, folder, program := serve(t), t.TempDir(), build(t, "./follow")
	environ := []string{"URL=" + url, "TOKEN=" + token(t)}
	alice := newCustomer(t, url)
	running := launch(t, folder, environ, program)
	awaitPlace(t, filepath.Join(folder, "feed.place"))
	for n := 1; n < 4; n++ {
		if n == 2 {
			running.Kill()
		}
		line := fmt.Sprintf("%d booking.created %s\n", n, alice.book("bob", 60*n))
		if n == 2 { // what has happened meanwhile comes first
			running = launch(t, folder, environ, program)
		}
		pgtest.Eventually(t, line, func() bool { return running.Stdout.Has(line) })
	}
}

// Each command of the page shows the booking whose reminder is due.
func TestTheCommandsOfThePageOnFeedsFollow(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	page, err := os.ReadFile("../docs/streams.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(string(page))
	if block == nil {
		t.Fatal("the page has no commands")
	}
	url, program := serve(t), build(t, "../cmd/bookings")
	environ := []string{
		"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"),
		"URL=" + url, "TOKEN=" + token(t), "INTERNAL_TOKEN=" + testInternal,
	}
	var running []*programtest.Process
	commands := strings.Split(strings.TrimSpace(block[1]), "\n")
	for _, command := range commands {
		if strings.Contains(command, "bookings listen") {
			p := launch(t, t.TempDir(), environ, "sh", "-c", assigned.ReplaceAllString(command, "${1}exec "))
			pgtest.Eventually(t, command, func() bool { return p.Stderr.Has("connected") })
			running = append(running, p)
		}
	}
	id := newCustomer(t, url).book("bob", 5) // its reminder is due at once
	for _, command := range commands {
		if strings.Contains(command, "curl") {
			running = append(running, launch(t, t.TempDir(), environ, "sh", "-c", command))
		}
	}
	if len(running) != len(commands) || len(commands) != 3 {
		t.Fatalf("the page has the commands %q", commands)
	}
	for n, p := range running {
		pgtest.Eventually(t, commands[n], func() bool { return p.Stdout.Has(id) })
	}
}

// assigned finds where a command begins, behind its variables: exec makes the shell be it, to be ended with it.
var assigned = regexp.MustCompile(`^((?:[A-Z_]+=\S+ )*)`)
