package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bookings/internal/pgtest"
)

var fenced = regexp.MustCompile("(?s)```(sh|ini)\n(.*?)```")

// The commands of docs/production.md make certificates that the settings of the page
// take, and that its calls work with, before and after a renewal.
func TestTheCommandsOfThePageOnProductionWork(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	page, err := os.ReadFile("../../docs/production.md")
	if err != nil {
		t.Fatal(err)
	}
	folder, issue := t.TempDir(), ""
	var server *process
	// What the page calls bookings.internal:8443 is where the server of this test listens.
	prelude := "set -eu\ncurl() { command curl -sS --connect-to bookings.internal:8443:\"$SERVER\" \"$@\"; }\n"
	blocks, calls := fenced.FindAllStringSubmatch(string(page), -1), 0
	for _, block := range blocks {
		if block[1] == "ini" {
			server = launch(t, environ(pgtest.URL(t), inFolder(folder, block[2])...), "serve")
			continue
		}
		if strings.HasPrefix(block[2], "issue()") {
			issue, _, _ = strings.Cut(block[2], "\n}\n")
			issue += "\n}\n"
		}
		shell := exec.Command("sh", "-c", prelude+issue+block[2])
		shell.Dir, shell.Env = folder, []string{"PATH=" + os.Getenv("PATH"), "SERVER="}
		if strings.Contains(block[2], "curl") {
			shell.Env = append(shell.Env, "SERVER="+server.internalAddress())
			calls++
		}
		output, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, block[2], output)
		}
	}
	if len(blocks) < 5 || calls < 2 {
		t.Errorf("the page has %d blocks with %d calls", len(blocks), calls)
	}
	for _, service := range []string{"billing.internal", "spiffe://example.com/reports", "billing.internal"} {
		server.line(`"service":"` + service + `"`)
	}
}

// inFolder are a block's settings, whose files are in a folder, on any port.
func inFolder(folder, block string) []string {
	var settings []string
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case name == "INTERNAL_ADDR":
			value = "127.0.0.1:0"
		case strings.HasSuffix(value, ".pem"):
			value = filepath.Join(folder, value)
		}
		settings = append(settings, name+"="+value)
	}
	return settings
}

// internalAddress waits for the internal listener, once.
func (p *process) internalAddress() string {
	p.t.Helper()
	if p.internal == "" {
		var line struct{ Addr string }
		if err := json.Unmarshal([]byte(p.line(`"setting":"INTERNAL_ADDR"`)), &line); err != nil {
			p.t.Fatal(err)
		}
		p.internal = line.Addr
	}
	return p.internal
}
