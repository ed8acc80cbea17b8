package pgpool

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"bookings/internal/booking"
)

func TestAnOwnerHoldsAQuarterOfThePool(t *testing.T) {
	t.Parallel()
	for connections, want := range map[int32]int{1: 1, 3: 1, 4: 1, 8: 2, 20: 5, 100: 25} {
		if p := newPlaces(connections); p.each != want {
			t.Errorf("%d of %d connections, not %d", p.each, connections, want)
		}
	}
}

func TestWhoeverWaitsForAPlaceGetsTheNextOne(t *testing.T) {
	t.Parallel()
	p := newPlaces(1)
	giveBack, err := p.take(t.Context(), "ben")
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.take(ended, "ben"); !errors.Is(err, context.Canceled) {
		t.Errorf("a second place: %v", err)
	}
	if other, err := p.take(t.Context(), "dora"); err != nil {
		t.Error(err)
	} else {
		other()
	}
	next := make(chan error)
	go func() {
		giveBack, err := p.take(t.Context(), "ben")
		if err == nil {
			giveBack()
		}
		next <- err
	}()
	giveBack()
	if err := <-next; err != nil {
		t.Error(err)
	}
	if len(p.owners) != 0 {
		t.Errorf("%d owners are remembered", len(p.owners))
	}
}

func TestABusyOwnersTransactionEndsAsUnavailable(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a time-out")
	}
	p := newPlaces(1)
	giveBack, err := p.take(t.Context(), "ben")
	if err != nil {
		t.Fatal(err)
	}
	defer giveBack()
	if _, err := p.take(t.Context(), "ben"); !booking.IsReason(err, booking.ReasonDatabaseUnavailable) {
		t.Error(err)
	}
}

// A place is given back whatever becomes of the transaction.
func TestAPlaceIsGivenBack(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	failure := errors.New("no")
	for _, want := range []error{nil, failure} {
		if err := pool.InTx(t.Context(), "ben", func(pgx.Tx) error { return want }); !errors.Is(err, want) {
			t.Error(err)
		}
	}
	if len(pool.places.owners) != 0 {
		t.Errorf("%d owners are remembered", len(pool.places.owners))
	}
}
