package pgerror_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bookings/internal/booking"
	"bookings/internal/pgerror"
	"bookings/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const unavailable = booking.ReasonDatabaseUnavailable

func TestABackendThatIsEndedIsUnavailable(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	victim, other := connect(t, address), connect(t, address)
	exec(t, other, fmt.Sprintf("SELECT pg_terminate_backend(%d, 5000)", victim.PgConn().PID()))
	_, err := victim.Exec(t.Context(), "SELECT 1")
	check(t, err, unavailable)
	_, err = victim.Exec(t.Context(), "SELECT 1") // on a connection that is known to be closed
	check(t, err, unavailable)
}

func TestAServerThatRefusesConnectionsIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := pgx.Connect(t.Context(), "postgres://"+closedPort(t)+"/bookings?sslmode=disable")
	check(t, err, unavailable)
}

func TestAServerThatHangsUpIsUnavailable(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_ = connection.Close()
		}
	}()
	_, err := pgx.Connect(t.Context(), "postgres://"+listener.Addr().String()+"/bookings?sslmode=disable")
	check(t, err, unavailable)
}

func TestAServerThatAdmitsNobodyElseIsUnavailable(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	admin := connect(t, address)
	exec(t, admin, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database()); END $$")
	exec(t, admin, "CREATE ROLE "+role(t)+" LOGIN")
	t.Cleanup(func() { exec(t, admin, "DROP ROLE "+role(t)) })
	config := admin.Config().Copy()
	config.User = role(t)
	_, err := pgx.ConnectConfig(t.Context(), config)
	check(t, err, unavailable)
}

// role is a name that no other test of this server has.
func role(t *testing.T) string {
	t.Helper()
	return strings.ToLower(t.Name())
}

// A statement that waits too long, for a disk or for a lock, says that the
// database does not keep up: trying again is right.
func TestAStatementThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	connection := connect(t, pgtest.URL(t))
	exec(t, connection, "SET statement_timeout = '10ms'")
	_, err := connection.Exec(t.Context(), "SELECT pg_sleep(60)")
	check(t, err, unavailable)
}

func TestALockThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	holder, waiter := connect(t, address), connect(t, address)
	exec(t, holder, "SELECT pg_advisory_lock(1)")
	exec(t, waiter, "SET lock_timeout = '10ms'")
	_, err := waiter.Exec(t.Context(), "SELECT pg_advisory_lock(1)")
	check(t, err, unavailable)
}

func TestAStandbyThatTakesNoWritesIsUnavailable(t *testing.T) {
	t.Parallel()
	connection := connect(t, pgtest.URL(t))
	exec(t, connection, "SET default_transaction_read_only = on")
	_, err := connection.Exec(t.Context(), "INSERT INTO feeds (role, user_id) VALUES ('customer', 'anna')")
	check(t, err, unavailable)
}

// The use cases have tried these again, in vain.
func TestWhatPassesIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, cause := range []*pgconn.PgError{
		{Code: "40P01"},
		{Code: "40001"},
		{Code: "42P05"},
		{Code: "26000"},
		{Code: "0A000", Routine: "RevalidateCachedQuery"},
	} {
		check(t, cause, unavailable)
	}
	other := &pgconn.PgError{Code: "0A000", Routine: "transformLockingClause"}
	if got := pgerror.Explain(other); got != error(other) { //nolint:errorlint // the very same
		t.Errorf("%v became %v", other, got)
	}
}

func TestTheTwoRulesOfTheDatabaseAreSaidInTheDomainsWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]booking.Reason{
		"bookings_no_overlap":             booking.ReasonSlotTaken,
		"bookings_idempotency_key_unique": booking.ReasonIdempotencyKeyReused,
	} {
		err := pgerror.Explain(fmt.Errorf("insert: %w", &pgconn.PgError{Code: "23P01", ConstraintName: name}))
		if !booking.IsReason(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFaultOfOursStaysInternal(t *testing.T) {
	t.Parallel()
	connection := connect(t, pgtest.URL(t))
	for name, sql := range map[string]string{
		"bad SQL":  "SELEC 1",
		"a CHECK":  "INSERT INTO feeds (role, user_id, head) VALUES ('customer', 'anna', -1)",
		"no table": "SELECT * FROM nothing",
		"division": "SELECT 1/0",
	} {
		_, err := connection.Exec(t.Context(), sql)
		if got := pgerror.Explain(err); err == nil || got != err { //nolint:errorlint // the very same
			t.Errorf("%s: %v became %v", name, err, got)
		}
	}
}

// The doors know what a caller who is gone, or a deadline that has passed, means.
func TestTheCallersOwnEndStaysWhatItIs(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	passed, release := context.WithTimeout(t.Context(), 0)
	defer release()
	for want, ctx := range map[error]context.Context{context.Canceled: cancelled, context.DeadlineExceeded: passed} {
		connection := connect(t, pgtest.URL(t))
		_, err := connection.Exec(ctx, "SELECT 1")
		if got := pgerror.Explain(err); !errors.Is(got, want) || booking.IsReason(got, unavailable) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestTheDomainsErrorsAreLeftAlone(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("book: %w", booking.Errorf(booking.ReasonNotAllowed, "no"))
	if got := pgerror.Explain(err); got != err { //nolint:errorlint // the very same
		t.Errorf("%v became %v", err, got)
	}
	if pgerror.Explain(nil) != nil {
		t.Error("nothing became an error")
	}
}

// check looks at what a caller is told, and that the log still learns the cause.
func check(t *testing.T, cause error, want booking.Reason) {
	t.Helper()
	if cause == nil {
		t.Fatal("the fault was not met")
	}
	err := pgerror.Explain(fmt.Errorf("use the database: %w", cause))
	if !booking.IsReason(err, want) {
		t.Fatalf("%v became %v", cause, err)
	}
	known, _ := errors.AsType[*booking.Error](err)
	if !strings.Contains(err.Error(), cause.Error()) || strings.Contains(known.Message, cause.Error()) {
		t.Errorf("the log learns %q, the caller %q", err, known.Message)
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func exec(t *testing.T, connection *pgx.Conn, sql string) {
	t.Helper()
	if _, err := connection.Exec(context.WithoutCancel(t.Context()), sql); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	_ = listener.Close()
	return listener.Addr().String()
}
