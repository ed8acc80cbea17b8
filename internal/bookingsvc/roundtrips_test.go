package bookingsvc_test

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

// trips counts how often the program waits for PostgreSQL: the turns from
// writing to reading on its connections.
type trips struct{ n atomic.Int64 }

type countedConn struct {
	net.Conn
	trips *trips
	wrote atomic.Bool
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.wrote.Store(true)
	return c.Conn.Write(p)
}

func (c *countedConn) Read(p []byte) (int, error) {
	if c.wrote.Swap(false) {
		c.trips.n.Add(1)
	}
	return c.Conn.Read(p)
}

// server is what PostgreSQL saw of a test: its one connection's round trips, and
// what it answered with an error, each of which stands in its log.
type server struct {
	trips  trips
	errors atomic.Pointer[pgconn.PgError]
}

// countedDesk has one connection, so that every statement that is prepared is
// known on it.
func countedDesk(t *testing.T) (*desk, *server) {
	t.Helper()
	s := &server{}
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &countedConn{Conn: conn, trips: &s.trips}, err
	}
	config.ConnConfig.OnPgError = func(_ *pgconn.PgConn, err *pgconn.PgError) bool {
		s.errors.Store(err)
		return true
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return openOn(t, pool), s
}

// during counts the round trips of a call, none of which may fail in PostgreSQL.
func (s *server) during(t *testing.T, name string, want int64, call func()) {
	t.Helper()
	before := s.trips.n.Load()
	call()
	if n := s.trips.n.Load() - before; n != want {
		t.Errorf("%s: %d round trips, not %d", name, n, want)
	}
	if err := s.errors.Swap(nil); err != nil {
		t.Errorf("%s: an error in PostgreSQL's log: %v", name, err)
	}
}

// warm lets every statement of a create, a replay and a trial be prepared, at its
// first use.
func (d *desk) warm() {
	d.t.Helper()
	for i := range 3 {
		d.book(anna, with(fmt.Sprint("warm-", i), at(1+i)))
		d.book(ben, with(fmt.Sprint("hot-", i), forAnna(11+i)))
	}
	for _, request := range []booking.Request{with("hot-0", forAnna(11)), tried(forAnna(20))} {
		if _, err := d.Create(d.t.Context(), ben, request); err != nil {
			d.t.Fatal(err)
		}
	}
}

// BEGIN and COMMIT are those of the batch.
func TestACreateTakesOneRoundTrip(t *testing.T) {
	t.Parallel()
	d, s := countedDesk(t)
	d.warm()
	for i, by := range []booking.Actor{anna, ben, booking.Internal} {
		s.during(t, "by "+string(by.Role), 1, func() { d.book(by, with(fmt.Sprint(i), forAnna(31+i))) })
		s.during(t, "without a key, by "+string(by.Role), 1, func() { d.book(by, forAnna(41+i)) })
	}
}

// creates are all that can become of a create but a booking. Each costs what a
// booking does, where it has a key the look-up of it, and where it is a trial ROLLBACK.
var creates = map[string]struct {
	request booking.Request
	want    booking.Reason
	trips   int64
}{
	"slot taken":           {at(11), booking.ReasonSlotTaken, 1},
	"slot taken, by key":   {with("new", at(11)), booking.ReasonSlotTaken, 2},
	"key replayed":         {with("warm-0", at(1)), "", 2},
	"key reused":           {with("warm-0", at(50)), booking.ReasonIdempotencyKeyReused, 2},
	"key reused, and slot": {with("warm-0", at(11)), booking.ReasonIdempotencyKeyReused, 2},
	"too many pending":     {with("new", at(60)), booking.ReasonTooManyPending, 2},
	"tried":                {tried(at(60)), booking.ReasonTooManyPending, 2},
	"tried, and slot":      {tried(at(11)), booking.ReasonSlotTaken, 2},
}

// An error in a batch, PostgreSQL's or one of ours, makes pgx forget the
// connection's statements: the next create would have to prepare them anew.
func TestARefusalCostsATripMoreAtMostAndTheNextCreateNone(t *testing.T) {
	t.Parallel()
	for name, test := range creates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, s := countedDesk(t)
			d.warm()
			d.MaxPending = 4
			if test.want == booking.ReasonTooManyPending {
				d.MaxPending = 3
			}
			before := d.rows()
			s.during(t, "refused", test.trips, func() {
				if _, err := d.Create(t.Context(), anna, test.request); reasonOf(t, err) != test.want {
					t.Errorf("%v, not %s", err, test.want)
				}
			})
			if after := d.rows(); !reflect.DeepEqual(after, before) {
				t.Errorf("%v before, %v after", before, after)
			}
			d.MaxPending = 4
			s.during(t, "the next create", 1, func() { d.book(anna, with("next", at(70))) })
			d.checkFeeds()
		})
	}
}

// A trial that nothing forbids is rolled back, no more.
func TestATrialCostsATripMore(t *testing.T) {
	t.Parallel()
	d, s := countedDesk(t)
	d.warm()
	s.during(t, "tried", 2, func() {
		if _, err := d.Create(t.Context(), anna, tried(at(60))); err != nil {
			t.Error(err)
		}
	})
	s.during(t, "the next create", 1, func() { d.book(anna, at(60)) })
}

// The parties; BEGIN with the locks; what is written; COMMIT.
func TestAChangeTakesFourRoundTrips(t *testing.T) {
	t.Parallel()
	d, s := countedDesk(t)
	d.warm()
	b, other := d.book(anna, at(60)), d.book(anna, at(61))
	d.do(ben, other, booking.Confirm())
	d.move(ben, other, to(62))
	s.during(t, "confirm", 4, func() { d.do(ben, b, booking.Confirm()) })
	s.during(t, "move", 4, func() { d.move(ben, b, to(63)) })
	for range 2 {
		s.during(t, "move to a slot that is taken", 4, func() {
			_, err := d.Reschedule(t.Context(), ben, target(b), to(62))
			refused(t, err, booking.ReasonSlotTaken)
		})
	}
	s.during(t, "the next move", 4, func() { d.move(ben, b, to(64)) })
	s.during(t, "cancel", 4, func() { d.do(ben, b, booking.Cancel("")) })
}
