//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgbouncer's configuration: few sessions, which many connections share in turn.
// It asks again a second after PostgreSQL was away, not 15.
const pgbouncer = `[databases]
* = host=%s port=%d%s
[pgbouncer]
unix_socket_dir = %s
listen_port = 6432
pool_mode = transaction
default_pool_size = 10
max_client_conn = 500
server_login_retry = 1
auth_type = trust
auth_file = %s
`

// Pooled puts a PgBouncer in transaction mode before a database, for as long as
// the test runs, and returns its address. It skips the test where there is none.
//
// Debian's 1.18 ends with "bad client state: 0" now and then, where who asks for a
// statement to be cancelled has left before it is: it is started again, as a
// supervisor does in production.
func Pooled(t testing.TB, address string) string {
	t.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		if binary, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Skip("pgbouncer is missing")
		}
	}
	server, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	programs := programsOf(t, address)
	programs.dir = filepath.Dir(binary) // it refuses to run as root, as postgres does
	dir := programs.folder(t)
	users, file := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	write(t, users, fmt.Sprintf("%q %q\n", server.User, server.Password))
	password := "" // an empty one would be a syntax error
	if server.Password != "" {
		password = " password='" + server.Password + "'"
	}
	write(t, file, fmt.Sprintf(pgbouncer, server.Host, server.Port, password, dir, users))
	programs.supervise(t, "pgbouncer", "-q", file)
	pooled := (&url.URL{
		Scheme: "postgres", User: url.User(server.User), Path: "/" + server.Database,
		RawQuery: url.Values{"host": {dir}, "port": {"6432"}, "sslmode": {"disable"}}.Encode(),
	}).String()
	answers(t, pooled)
	return pooled
}

// supervise runs a program until the test ends, and again whenever it has ended.
func (p programs) supervise(t testing.TB, name string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			cmd := p.command(ctx, name, args...)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			cmd.WaitDelay = 10 * time.Second
			if err := cmd.Run(); err != nil && ctx.Err() == nil {
				t.Logf("pgtest: %s has ended, and is started again: %v", name, err)
				select { // one that cannot start must not spin
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // another account reads it
		t.Fatal("pgtest: ", err)
	}
}
