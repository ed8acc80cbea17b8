package app

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// readiness asks /health/ready.
func (i *instance) readiness() (int, readiness) {
	i.t.Helper()
	response, body := i.exchange(i.get("/health/ready", http.Header{}))
	var found readiness
	if err := json.Unmarshal(body, &found); err != nil {
		i.t.Fatalf("%v: %s", err, body)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		i.t.Errorf("Content-Type is %q", got)
	}
	found.Clock = "" // has a test of its own
	return response.StatusCode, found
}

func (i *instance) checkReady(status int, want readiness) {
	i.t.Helper()
	if got, found := i.readiness(); got != status || found != want {
		i.t.Errorf("HTTP status %d, %+v, want %d, %+v", got, found, status, want)
	}
}

// checkLive: the process can answer, whatever it stands on.
func (i *instance) checkLive() {
	i.t.Helper()
	response, body := i.exchange(i.get("/health", http.Header{}))
	var told map[string]string
	if err := json.Unmarshal(body, &told); err != nil || response.StatusCode != http.StatusOK || len(told) != 1 || told["status"] != "ok" {
		i.t.Errorf("/health: %s %s", response.Status, body)
	}
}

func TestReadinessNamesItsParts(t *testing.T) {
	t.Parallel()
	i := start(t)
	i.checkLive()
	i.checkReady(http.StatusOK, readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok"})
}

func TestRedisDownIsDegradedAndNothingElse(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	i := start(t, func(s *Settings) { s.RedisURL = "redis://" + closed.Addr().String() })
	i.checkLive()
	i.checkReady(http.StatusOK, readiness{Status: degraded, Postgres: "ok", Redis: degraded, Schema: "ok"})
	i.book("cara", 0)
}

// redisUser is the setting of a Redis user who may do all but what the rules say.
func redisUser(t *testing.T, server *redistest.Server, user string, rules ...any) func(*Settings) {
	t.Helper()
	rights := append([]any{"ACL", "SETUSER", user, "on", ">password", "~*", "&*", "+@all"}, rules...)
	if err := server.Client().Do(t.Context(), rights...).Err(); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(server.URL(), "unix://", "unix://"+user+":password@", 1)
	return func(s *Settings) { s.RedisURL = url }
}

func TestARedisThatCarriesEventsIsOK(t *testing.T) {
	t.Parallel()
	i := start(t, redisUser(t, redistest.Start(t), "free"))
	i.awaitf(func() bool {
		_, found := i.readiness()
		return found == readiness{Status: "ok", Postgres: "ok", Redis: "ok", Schema: "ok"}
	}, "Redis carries events")
}

func TestARedisThatRefusesToCarryEventsIsDegradedAndSaidOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for heartbeats")
	}
	for user, rule := range map[string]string{"mute": "-publish", "deaf": "-subscribe", "nowhere": "resetchannels"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			i := start(t, redisUser(t, redistest.Start(t), user, rule))
			i.awaitf(func() bool { return strings.Contains(i.log.String(), "Redis refuses to carry events") }, "the log says it")
			i.checkReady(http.StatusOK, readiness{Status: degraded, Postgres: "ok", Redis: degraded, Schema: "ok"})
			i.book("cara", 0)
			if lines := strings.Count(i.log.String(), "NOPERM"); lines != 1 {
				t.Errorf("the log says it %d times", lines)
			}
		})
	}
}

func TestASchemaThatIsTooOldIsNamedWithItsRemedy(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]string{
		"ours":    "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)",
		"River's": "DELETE FROM river_migration WHERE version = (SELECT max(version) FROM river_migration)",
		"all":     "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
	} {
		url := pgtest.URL(t)
		execute(t, url, old)
		i := start(t, func(s *Settings) { s.DatabaseURL = url })
		i.checkLive()
		status, found := i.readiness()
		want := readiness{Status: unavailable, Postgres: "ok", Redis: "disabled", Schema: "too old: run bookings migrate up"}
		if status != http.StatusServiceUnavailable || found != want {
			t.Errorf("%s: HTTP status %d, %+v", name, status, found)
		}
	}
}

func TestADatabaseThatIsDownIsSaidQuickly(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	proxy, url := newProxy(t, pgtest.URL(t))
	i := start(t, func(s *Settings) { s.DatabaseURL = url })
	i.book("cara", 0)
	proxy.cut()
	began := time.Now()
	i.checkLive()
	i.checkReady(http.StatusServiceUnavailable, readiness{Status: unavailable, Postgres: unavailable, Redis: "disabled", Schema: "unknown"})
	for _, door := range doors {
		i.checkUnavailable(door)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

const databaseUnavailable = "UNAVAILABLE DATABASE_UNAVAILABLE"

// checkUnavailable reads and writes through a door, in vain.
func (i *instance) checkUnavailable(door door) {
	i.t.Helper()
	for _, c := range []call{
		{method: "GetBooking", request: &bookingsv1.GetBookingRequest{Id: nobodys}},
		trial(func(*bookingsv1.CreateBookingRequest) {}),
	} {
		c.header = i.as(booking.RoleCustomer, "cara")
		got := door.call(i, c)
		checkVerdict(i.t, door.name+" "+c.method, got, databaseUnavailable)
		if !door.grpc && got.http != http.StatusServiceUnavailable {
			i.t.Errorf("%s %s: HTTP status %d", door.name, c.method, got.http)
		}
	}
}

// A hung database costs a caller at most 10 seconds, and a probe 5. What hangs
// is found by its time-outs, so this test waits for them.
func TestADatabaseThatHangsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	proxy, url := newProxy(t, pgtest.URL(t))
	i := start(t, func(s *Settings) { s.DatabaseURL = url })
	i.book("cara", 0)
	proxy.stall()
	began := time.Now()
	i.checkLive()
	i.checkReady(http.StatusServiceUnavailable, readiness{Status: unavailable, Postgres: unavailable, Redis: "disabled", Schema: "unknown"})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("/health/ready took %v", took)
	}
	answers := make(chan string, 2*len(doors))
	for _, door := range doors {
		go func() {
			answers <- i.hang(door, call{method: "GetBooking", request: &bookingsv1.GetBookingRequest{Id: nobodys}})
		}()
		go func() { answers <- i.hang(door, trial(func(*bookingsv1.CreateBookingRequest) {})) }()
	}
	for range cap(answers) {
		if wrong := <-answers; wrong != "" {
			t.Error(wrong)
		}
	}
	proxy.resume()
	i.awaitf(func() bool { status, _ := i.readiness(); return status == http.StatusOK }, "readiness after the database came back")
	i.book("cara", 2)
}

// hang calls while the database hangs and says what is wrong with the answer.
func (i *instance) hang(door door, c call) string {
	c.header = i.as(booking.RoleCustomer, "cara")
	began := time.Now()
	got := door.call(i, c)
	took := time.Since(began)
	verdict := got.verdict()
	if verdict != databaseUnavailable && verdict != "DEADLINE_EXCEEDED DEADLINE_EXCEEDED" || took > 10*time.Second {
		return door.name + " " + c.method + " after " + took.String() + ": " + got.String()
	}
	return ""
}

// A call that waits in the database is ended by the database, or, where that
// hangs too, by its own deadline.
func TestACallThatWaitsInTheDatabaseIsEnded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for time-outs")
	}
	direct := pgtest.URL(t)
	proxy, url := newProxy(t, direct)
	i, hung := start(t, func(s *Settings) { s.DatabaseURL = direct }), start(t, func(s *Settings) { s.DatabaseURL = url })
	i.book("cara", 0)
	tx := lockFeeds(t, i)
	answers := make(chan string, 6)
	for _, door := range doors[:3] {
		c := trial(func(*bookingsv1.CreateBookingRequest) {})
		go func() { answers <- i.hang(door, c) }()
		go func() { answers <- hung.hang(door, c) }()
	}
	i.awaitf(func() bool { return waiting(t, i) == cap(answers) }, "calls that wait")
	proxy.stall()
	for range cap(answers) {
		if wrong := <-answers; wrong != "" {
			t.Error(wrong)
		}
	}
	proxy.resume()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
}

// lockFeeds makes all who write to feeds wait.
func lockFeeds(t *testing.T, i *instance) pgx.Tx {
	t.Helper()
	tx, err := i.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM feeds WHERE role <> 'all' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	return tx
}

// waiting is how many connections wait for a lock.
func waiting(t *testing.T, i *instance) (count int) {
	t.Helper()
	const query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	if err := i.pool.QueryRow(t.Context(), query).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAServerThatStopsIsNotReady(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.Drain = time.Second })
	i.checkReady(http.StatusOK, readiness{Status: "ok", Postgres: "ok", Redis: "disabled", Schema: "ok"})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		i.stop()
	}()
	i.awaitf(func() bool { status, _ := i.readiness(); return status == http.StatusServiceUnavailable }, "readiness off")
	i.checkLive()
	i.book("cara", 0)
	<-stopped
}

// execute runs SQL on a database before a server uses it.
func execute(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
