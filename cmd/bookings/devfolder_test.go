package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookings/internal/app"
)

// stranger is a user who is neither us nor root.
const stranger = 12345

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// place is dev's folder, in which somebody has been before.
type place struct {
	t    *testing.T
	path string
}

func (p place) in(name string) string { return filepath.Join(p.path, name) }

func (p place) mode(name string, mode os.FileMode) { check(p.t, os.Chmod(p.in(name), mode)) }

func (p place) file(name, text string) { check(p.t, os.WriteFile(p.in(name), []byte(text), 0o600)) }

// link makes something a link to a new folder.
func (p place) link(name string) (target string) {
	_ = os.Remove(p.in(name))
	target = p.t.TempDir()
	check(p.t, os.Symlink(target, p.in(name)))
	return target
}

// giveAway makes a file, or a link itself, somebody else's, which only root can
// do.
func (p place) giveAway(path string) {
	if os.Geteuid() != 0 {
		p.t.Skip("gives files away, as root can")
	}
	check(p.t, os.Lchown(path, stranger, stranger))
}

// Whoever can write where dev keeps its secret could choose it, or have dev write
// where a link leads.
func TestDevRefusesAFolderThatIsNotItsOwnAlone(t *testing.T) {
	t.Parallel()
	const known = `{"secret": "a secret that somebody else knows, and so forges tokens"}`
	for name, test := range map[string]struct {
		plant func(place)
		says  string
	}{
		"everybody may write":       {func(p place) { p.mode("", 0o777) }, "others may write"},
		"with a sticky bit":         {func(p place) { p.mode("", 0o777|os.ModeSticky) }, "others may write"},
		"a group may write":         {func(p place) { p.mode("", 0o770) }, "others may write"},
		"somebody else's":           {func(p place) { p.giveAway(p.path) }, "belongs to"},
		"a link to somebody else's": {func(p place) { p.giveAway(p.link("")) }, "belongs to"},
		"somebody else's link":      {func(p place) { p.link(""); p.giveAway(p.path) }, "belongs to"},
		"data behind a foreign link": {
			func(p place) { p.link("postgres"); p.giveAway(p.in("postgres")) }, "belongs to",
		},
		"dev.json is a link": {func(p place) { p.link("dev.json") }, "no plain file"},
		"dev.json is a link to a file": {
			func(p place) { p.file("known", known); check(p.t, os.Symlink("known", p.in("dev.json"))) }, "no plain file",
		},
		"dev.json is a link to nothing": {func(p place) { check(p.t, os.Remove(p.link("dev.json"))) }, "no plain file"},
		"dev.json is a folder":          {func(p place) { check(p.t, os.Mkdir(p.in("dev.json"), 0o700)) }, "no plain file"},
		"dev.json is somebody else's":   {func(p place) { p.file("dev.json", known); p.giveAway(p.in("dev.json")) }, "belongs to"},
		"dev.json can be read":          {func(p place) { p.file("dev.json", known); p.mode("dev.json", 0o644) }, "others may read"},
		"dev.json is no JSON":           {func(p place) { p.file("dev.json", "{") }, "delete it"},
		"dev.json has no secret":        {func(p place) { p.file("dev.json", "{}") }, "delete it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := place{t: t, path: filepath.Join(t.TempDir(), "state")}
			check(t, os.Mkdir(p.path, 0o700))
			test.plant(p)
			code, _, stderr := once(t, []string{"ADDR=127.0.0.1:0", "DATABASE_URL=postgres:///nowhere?host=/nowhere"}, "dev", "--dir", p.path)
			if code != exitFailure || !strings.Contains(stderr, test.says) || !strings.Contains(stderr, p.path) {
				t.Errorf("exit code %d, said %q, not %q", code, stderr, test.says)
			}
		})
	}
}

// openState is what a start of dev does with its folder.
func openState(t *testing.T, path string, settings app.Settings) devState {
	t.Helper()
	folder, err := openDevFolder(path)
	check(t, err)
	defer func() { _ = folder.Close() }()
	state, err := loadDevState(folder)
	check(t, err)
	if settings.JWTSecret == "" {
		settings.JWTSecret = state.Secret
	}
	check(t, state.renewTokens(t.Context(), folder, settings, time.Now()))
	return state
}

func TestDevKeepsItsSecretToItselfAndWritesItWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "not", "there", "yet")
	state := openState(t, path, app.Settings{})
	// A link of our own to a folder of our own is no plot.
	link := filepath.Join(t.TempDir(), "link")
	check(t, os.Symlink(path, link))
	if again := openState(t, link, app.Settings{}); again != state {
		t.Errorf("the second start has %+v, not %+v", again, state)
	}
	file := filepath.Join(path, "dev.json")
	before, err := os.Open(file)
	check(t, err)
	defer func() { _ = before.Close() }()
	renewed := openState(t, path, app.Settings{JWTSecret: testSecret})
	if renewed.Secret != state.Secret || renewed.CustomerToken == state.CustomerToken {
		t.Errorf("with another secret it has %+v after %+v", renewed, state)
	}
	// It was replaced, not written over: who reads it meanwhile has all of it.
	if text, err := io.ReadAll(before); err != nil || !strings.Contains(string(text), state.CustomerToken) {
		t.Errorf("the file that was there is now %s, %v", text, err)
	}
	entries, err := os.ReadDir(path)
	check(t, err)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || len(entries) != 1 {
		t.Errorf("left are %v, %v, %v", entries, info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), testSecret) {
		t.Errorf("a secret of the environment was kept: %s, %v", text, err)
	}
}
