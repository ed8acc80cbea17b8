package bookingsvc_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

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

// countedPool has one connection, so that every statement that is prepared is
// known on it.
func countedPool(t *testing.T) (*pgxpool.Pool, *trips) {
	t.Helper()
	counted := &trips{}
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &countedConn{Conn: conn, trips: counted}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool, counted
}

// BEGIN, the job, one batch, COMMIT.
func TestACreateTakesFourRoundTrips(t *testing.T) {
	t.Parallel()
	pool, counted := countedPool(t)
	d := openOn(t, pool)
	for i, by := range []booking.Actor{anna, ben, booking.Internal} {
		const warm = 3 // statements are prepared at their first use
		for j := range warm {
			d.book(by, with(fmt.Sprintf("%d-%d", i, j), forAnna(1+10*i+j)))
		}
		before := counted.n.Load()
		d.book(by, with(fmt.Sprint(i), forAnna(9+10*i)))
		if n := counted.n.Load() - before; n != 4 {
			t.Errorf("by %s: %d round trips", by.Role, n)
		}
	}
}
