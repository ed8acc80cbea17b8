//go:build unix

package embeddedpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// childVariable makes the test binary a process that runs a cluster until it
// is killed, in the folder named, or in a temporary one for "-".
const childVariable = "BOOKINGS_EMBEDDEDPG_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		beChild(strings.TrimPrefix(dir, "-"))
	}
	goleak.VerifyTestMain(m)
}

func beChild(dir string) {
	cluster, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("started", cluster.folder.dir)
	select {}
}

// child runs a cluster in another process and returns its folder.
func child(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	output, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	var word, where string
	_, err = fmt.Fscanln(output, &word, &where)
	check(t, err)
	if word != "started" {
		t.Fatalf("the child said %q %q", word, where)
	}
	return cmd, where
}

// kill ends the child without giving it a chance to clean up.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	check(t, cmd.Process.Kill())
	_ = cmd.Wait() // says that it was killed
}

// openDir is t.TempDir with a way in for the account that runs postgres.
func openDir(t *testing.T) string {
	t.Helper()
	base := os.TempDir()
	if !postgresAccount(t).canEnter(t.Context(), base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "bookings-test-")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	check(t, os.Chmod(dir, 0o755))
	return dir
}

func postgresAccount(t *testing.T) account {
	t.Helper()
	who, err := accountFor("")
	check(t, err)
	return who
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root hands postgres to another account")
	}
}

func run(t *testing.T, options Options) *Cluster {
	t.Helper()
	cluster, err := Start(t.Context(), options)
	check(t, err)
	t.Cleanup(func() { _ = cluster.Stop() }) // the tests that care look at it themselves
	return cluster
}

func query[T any](t *testing.T, cluster *Cluster, sql string) (value T) {
	t.Helper()
	connection := connect(t, cluster)
	defer func() { check(t, connection.Close(t.Context())) }()
	check(t, connection.QueryRow(t.Context(), sql).Scan(&value))
	return value
}

func execute(t *testing.T, cluster *Cluster, sql string) error {
	t.Helper()
	connection := connect(t, cluster)
	defer func() { check(t, connection.Close(t.Context())) }()
	_, err := connection.Exec(t.Context(), sql)
	return err
}

func connect(t *testing.T, cluster *Cluster) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	check(t, err)
	return connection
}

// script makes a program. Another process writes it: a file that this process
// has had open for writing may still be busy in a child of a parallel test.
func script(t *testing.T, path, body string) {
	t.Helper()
	check(t, makeOpen(filepath.Dir(path)))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `cat >"$0" && chmod 755 "$0"`, path)
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + body + "\n")
	check(t, cmd.Run())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", path, err)
	}
}
