package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"bookings/internal/pgtest"
)

// devFolder is one that PostgreSQL's account may enter too, which t.TempDir's
// parent forbids: for root, dev would keep its data elsewhere.
func devFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "bookings-dev-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// guideLines collects what dev prints, up to its last command.
func guideLines(p *process) []string {
	var lines []string
	for !strings.Contains(strings.Join(lines, "\n"), " call --url ") {
		lines = append(lines, strings.TrimSpace(p.line("")))
	}
	return lines
}

// command is the printed command that contains the text.
func commandWith(t *testing.T, lines []string, text string) string {
	t.Helper()
	i := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
	if i < 0 {
		t.Fatalf("dev printed no command with %q:\n%s", text, strings.Join(lines, "\n"))
	}
	return lines[i]
}

// paste runs a printed command as a user would.
func paste(t *testing.T, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", command)
	shell.Env = append(shell.Environ(), asProgram+"=1")
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", command, err, out)
	}
	return string(out)
}

func bookingID(t *testing.T, answer string) string {
	t.Helper()
	var created struct {
		Booking struct{ ID string }
	}
	if err := json.Unmarshal([]byte(answer), &created); err != nil || created.Booking.ID == "" {
		t.Fatalf("no booking in %s: %v", answer, err)
	}
	return created.Booking.ID
}

func TestWhatDevPrintsWorksAndStaysForTheNextStart(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the printed commands need curl")
	}
	folder := devFolder(t)
	dev := launch(t, []string{"ADDR=127.0.0.1:0"}, "dev", "--dir", folder)
	lines := guideLines(dev)
	opened := strings.Fields(lines[1])
	if opened[0] != "Open" || !strings.Contains(lines[3], "/docs") {
		t.Fatalf("dev names no page first, or not the reference after it: %q", lines)
	}
	page := paste(t, "curl -sf "+opened[1])
	if !strings.Contains(page, `<meta name="tokens" content="/dev/token">`) {
		t.Errorf("the page is not there, or is told of no tokens: %s", page)
	}
	const asAlice = `-H 'Content-Type: application/json' -d '{"role": "customer", "userId": "alice"}'`
	if token := paste(t, "curl -sf "+opened[1]+"/dev/token "+asAlice); !strings.Contains(token, `"expireTime"`) {
		t.Errorf("there is no token in %s", token)
	}
	address := strings.Fields(commandWith(t, lines, "/docs"))
	if page := paste(t, "curl -sf "+address[len(address)-1]); !strings.Contains(page, "<rapi-doc") {
		t.Errorf("the reference is not there: %s", page)
	}
	listener := launch(t, nil, strings.Fields(commandWith(t, lines, " listen "))[1:]...)
	listener.connected(1)
	ofAll := strings.Fields(commandWith(t, lines, "INTERNAL_TOKEN="))
	service := launch(t, ofAll[:1], ofAll[2:]...)
	service.connected(1)

	create := commandWith(t, lines, "CreateBooking")
	id := bookingID(t, paste(t, create))
	if again := bookingID(t, paste(t, create)); again != id {
		t.Errorf("pasted twice, it booked %s and %s", id, again)
	}
	for _, reader := range []*process{listener, service} {
		if event := reader.line("booking.created"); !strings.Contains(event, id) {
			t.Errorf("the listener heard %s, not of %s", event, id)
		}
	}
	for _, list := range []string{"/v1/bookings ", " call "} {
		if answer := paste(t, commandWith(t, lines, list)); !strings.Contains(answer, id) {
			t.Errorf("%q does not list %s: %s", list, id, answer)
		}
	}
	if err := dev.signal(syscall.SIGINT); err != nil {
		t.Errorf("Ctrl-C ended dev with %v", err)
	}

	second := launch(t, []string{"ADDR=127.0.0.1:0"}, "dev", "--dir", folder)
	again := guideLines(second)
	for _, name := range []string{"CUSTOMER=", "PROVIDER=", "INTERNAL_TOKEN="} {
		if strings.Fields(commandWith(t, again, name))[0] != strings.Fields(commandWith(t, lines, name))[0] {
			t.Errorf("the second start has another token for %s", name)
		}
	}
	if answer := paste(t, commandWith(t, again, "/v1/bookings ")); !strings.Contains(answer, id) {
		t.Errorf("the second start has lost the booking: %s", answer)
	}
	_ = second.signal(syscall.SIGINT)
}

func TestDevSurvivesAKill(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the printed commands need curl")
	}
	folder := devFolder(t)
	dev := launch(t, []string{"ADDR=127.0.0.1:0"}, "dev", "--dir", folder)
	id := bookingID(t, paste(t, commandWith(t, guideLines(dev), "CreateBooking")))
	_ = dev.signal(syscall.SIGKILL)

	again := launch(t, []string{"ADDR=127.0.0.1:0"}, "dev", "--dir", folder)
	lines := guideLines(again)
	list := commandWith(t, lines, "/v1/bookings ")
	if answer := paste(t, list); !strings.Contains(answer, id) {
		t.Errorf("the booking is lost: %s", answer)
	}
	feed := paste(t, strings.Replace(list, "/v1/bookings", "/v1/events", 1))
	if strings.Count(feed, "booking.created") != 1 || !strings.Contains(feed, id) {
		t.Errorf("the feed does not hold the event once: %s", feed)
	}
	_ = again.signal(syscall.SIGINT)
}

// Only what the server verifies with makes a token that it takes.
func TestTheTokensOfDevFitItsSettings(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("the printed commands need curl")
	}
	folder, databaseURL := devFolder(t), pgtest.URL(t)
	own := []string{"ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL}
	ours := append(slices.Clone(own), "JWT_SECRET="+testSecret, "JWT_ISSUER=us", "JWT_AUDIENCE=them")
	var tokens []string
	for _, environ := range [][]string{own, ours, ours, append(slices.Clone(ours), "JWT_ISSUER=another"), own} {
		dev := launch(t, environ, "dev", "--dir", folder)
		lines := guideLines(dev)
		if answer := paste(t, commandWith(t, lines, "/v1/bookings ")); !strings.Contains(answer, `"bookings"`) {
			t.Errorf("with %q the token is answered by %s", environ, answer)
		}
		if answer := paste(t, commandWith(t, lines, " call ")); strings.Contains(answer, "error") {
			t.Errorf("with %q the token is answered by %s", environ, answer)
		}
		tokens = append(tokens, commandWith(t, lines, "CUSTOMER="))
		if err := dev.signal(syscall.SIGINT); err != nil {
			t.Errorf("dev ended with %v", err)
		}
	}
	if tokens[1] != tokens[2] {
		t.Error("with the same settings the second start has another token")
	}
}

func TestPostgresOfDevIsToldNoSecret(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("reads the environment of processes in /proc")
	}
	folder := devFolder(t)
	dev := launch(t, []string{"ADDR=127.0.0.1:0", "JWT_SECRET=" + testSecret, "INTERNAL_TOKEN=" + testInternal}, "dev", "--dir", folder)
	guideLines(dev)
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	postgres := 0
	for _, process := range processes {
		command, _ := os.ReadFile(filepath.Join(process, "cmdline"))
		if !strings.Contains(string(command), filepath.Join(folder, "postgres", "data")) {
			continue
		}
		environ, err := os.ReadFile(filepath.Join(process, "environ"))
		if err != nil {
			continue // it has ended
		}
		postgres++
		if text := string(environ); strings.Contains(text, testSecret) || strings.Contains(text, testInternal) {
			t.Errorf("%q was told %q", command, environ)
		}
	}
	if postgres == 0 {
		t.Error("no postgres was found")
	}
	_ = dev.signal(syscall.SIGINT)
}
