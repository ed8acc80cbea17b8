//go:build unix

package pgtest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/internal/embeddedpg"
	"bookings/internal/migrate"
)

// Pair is a primary, migrated, and a standby that follows it.
type Pair struct {
	t       testing.TB
	primary *embeddedpg.Cluster
	standby string // the standby's own address
	// StopPrimary ends the primary before the test's end does.
	StopPrimary func()
}

// NewPair starts two servers of the test's own. It skips the test where
// pg_basebackup is missing.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	primary, err := startCluster(t.Context())
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	p := &Pair{t: t, primary: primary, StopPrimary: func() { _ = primary.Stop() }}
	t.Cleanup(p.StopPrimary)
	if err := migrate.Up(t.Context(), primary.URL("postgres")); err != nil {
		t.Fatal("pgtest: ", err)
	}
	p.standby = follow(t, primary.URL("postgres"))
	return p
}

// programs are those of a server's, and the account that may run them.
type programs struct {
	dir     string
	account syscall.Credential
}

// programsOf asks a server where its programs are. They run as the account that
// its data belong to, since postgres does not run as root.
func programsOf(t testing.TB, address string) programs {
	t.Helper()
	info, err := os.Stat(ask[string](t, address, "SHOW data_directory"))
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Fatal("pgtest: a file without an owner")
	}
	return programs{
		dir:     ask[string](t, address, "SELECT setting FROM pg_config WHERE name = 'BINDIR'"),
		account: syscall.Credential{Uid: owner.Uid, Gid: owner.Gid},
	}
}

func (p programs) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, name), args...)
	cmd.Dir, cmd.Env = "/", []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &p.account}
	}
	return cmd
}

// folder makes one that belongs to the account. The path of a socket in it must
// be short, which the test's own folder's is not.
func (p programs) folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bookings-pair-")
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		err = os.Chown(dir, int(p.account.Uid), int(p.account.Gid))
	}
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	return dir
}

// follow copies a server and starts the copy as its standby.
func follow(t testing.TB, primary string) string {
	t.Helper()
	programs := programsOf(t, primary)
	if _, err := os.Stat(filepath.Join(programs.dir, "pg_basebackup")); err != nil {
		t.Skip("pg_basebackup is missing")
	}
	dir := programs.folder(t)
	data := filepath.Join(dir, "data")
	backup := programs.command(t.Context(), "pg_basebackup", "-d", primary, "-D", data, "-R", "-c", "fast", "--no-sync")
	if output, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("pgtest: pg_basebackup: %v %s", err, output)
	}
	programs.start(t, "postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "port=5432",
		"-c", "fsync=off", "-c", "max_connections=300") // no fewer than the primary's
	query := url.Values{"host": {dir}, "port": {"5432"}}
	address := (&url.URL{Scheme: "postgres", User: url.User("booking"), Path: "/postgres", RawQuery: query.Encode()}).String()
	answers(t, address)
	return address
}

func answers(t testing.TB, address string) {
	t.Helper()
	Eventually(t, "a server that answers", func() bool {
		connection, err := pgx.Connect(t.Context(), address)
		if err == nil {
			_ = connection.Close(t.Context())
		}
		return err == nil
	})
}

// start runs a program until the test ends.
func (p programs) start(t testing.TB, name string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := p.command(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // a fast shutdown, to both
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal("pgtest: ", err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
}

// URL names both servers, and asks for the one that takes writes.
func (p *Pair) URL() string {
	p.t.Helper()
	var hosts []string
	for _, address := range []string{p.primary.URL("postgres"), p.standby} {
		parsed, err := url.Parse(address)
		if err != nil {
			p.t.Fatal("pgtest: ", err)
		}
		hosts = append(hosts, parsed.Query().Get("host"))
	}
	query := url.Values{"host": {strings.Join(hosts, ",")}, "port": {"5432,5432"}, "target_session_attrs": {"read-write"}}
	return (&url.URL{Scheme: "postgres", User: url.User("booking"), Path: "/postgres", RawQuery: query.Encode()}).String()
}

// Primary is the address of the server that takes writes at first.
func (p *Pair) Primary() string { return p.primary.URL("postgres") }

// Standby is the other's.
func (p *Pair) Standby() string { return p.standby }

// Sever has the standby follow no more: it lacks what is committed from here on,
// as an older copy does.
func (p *Pair) Sever() {
	p.t.Helper()
	run(p.t, p.standby, "ALTER SYSTEM SET primary_conninfo = ''")
	run(p.t, p.standby, "SELECT pg_reload_conf()")
	Eventually(p.t, "a standby that follows nobody", func() bool {
		return ask[bool](p.t, p.standby, "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
	})
}

// Fence makes the primary read-only, which goes on answering.
func (p *Pair) Fence() {
	p.t.Helper()
	run(p.t, p.primary.URL("postgres"), "ALTER SYSTEM SET default_transaction_read_only = on")
	run(p.t, p.primary.URL("postgres"), "SELECT pg_reload_conf()")
}

// Synchronise has the primary answer a commit only when the standby has it, too.
func (p *Pair) Synchronise() {
	p.t.Helper()
	primary := p.primary.URL("postgres")
	run(p.t, primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
	run(p.t, primary, "ALTER DATABASE postgres SET synchronous_commit = on") // a temporary cluster starts with off
	run(p.t, primary, "SELECT pg_reload_conf()")
	Eventually(p.t, "a synchronous standby", func() bool {
		return ask[bool](p.t, primary, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
	})
}

// Crash ends the primary at once, in the midst of what it does. Unlike
// StopPrimary, nothing that it still has is sent to the standby.
func (p *Pair) Crash() {
	p.t.Helper()
	file := filepath.Join(ask[string](p.t, p.primary.URL("postgres"), "SHOW data_directory"), "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal("pgtest: ", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGQUIT) // PostgreSQL's immediate shutdown
	}
	if err != nil {
		p.t.Fatal("pgtest: ", err)
	}
	<-p.primary.Done()
}

// CatchUp waits until the standby has all that the primary has.
func (p *Pair) CatchUp() {
	p.t.Helper()
	// A temporary cluster answers commits before they are written anywhere: one that
	// waits writes those before it, too.
	run(p.t, p.Primary(), "SELECT set_config('synchronous_commit', 'local', false), pg_logical_emit_message(true, '', '')")
	written := ask[string](p.t, p.Primary(), "SELECT pg_current_wal_lsn()::text")
	Eventually(p.t, "a standby that has caught up", func() bool {
		return ask[bool](p.t, p.standby, "SELECT pg_last_wal_replay_lsn() >= '"+written+"'")
	})
}

// Promote makes the standby a server that takes writes.
func (p *Pair) Promote() {
	p.t.Helper()
	run(p.t, p.standby, "SELECT pg_promote()")
}

func run(t testing.TB, address, sql string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	defer func() { _ = connection.Close(t.Context()) }()
	if _, err := connection.Exec(t.Context(), sql); err != nil {
		t.Fatal("pgtest: ", err)
	}
}

func ask[T any](t testing.TB, address, sql string) (value T) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	defer func() { _ = connection.Close(t.Context()) }()
	if err := connection.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal("pgtest: ", err)
	}
	return value
}
