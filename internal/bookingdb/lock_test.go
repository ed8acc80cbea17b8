package bookingdb_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgtest"
)

const (
	providersFeed = "SELECT 1 FROM feeds WHERE role = 'provider' AND user_id = 'ben' FOR UPDATE"
	customersFeed = "SELECT 1 FROM feeds WHERE role = 'customer' AND user_id = 'anna' FOR UPDATE"
	theBooking    = "SELECT 1 FROM bookings FOR UPDATE"
)

// order is the one order of locks. Whoever waits for one holds those before it
// and none of those after it: then no two transactions wait for each other.
var order = []string{providersFeed, customersFeed, theBooking}

func TestLocksAreTakenInOneOrder(t *testing.T) {
	t.Parallel()
	for i, held := range order {
		pool := pgtest.New(t)
		b := insert(t, pool, confirmed())
		makeFeeds(t, pool)
		holder, waiter := begin(t, pool), begin(t, pool)
		exec(t, holder, held)
		locked := lockInBackground(t, waiter, b)
		pgtest.EventuallyBlocks(t, pool, holder)
		for j, other := range order {
			if j != i && isFree(t, pool, other) != (j > i) {
				t.Errorf("waiting for lock %d, lock %d is free: %t", i, j, j < i)
			}
		}
		rollback(t, holder)
		if err := <-locked; err != nil {
			t.Error(err)
		}
		rollback(t, waiter)
	}
}

func TestABookingIsReadUnderItsLock(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := insert(t, pool, confirmed())
	first, second := begin(t, pool), begin(t, pool)
	if _, err := lock(t.Context(), first, b.ID, provider); err != nil {
		t.Fatal(err)
	}
	read := make(chan booking.Booking, 1)
	go func() {
		seen, err := lock(t.Context(), second, b.ID, provider)
		if err != nil {
			t.Error(err)
		}
		read <- seen
	}()
	pgtest.EventuallyBlocks(t, pool, first)
	b.Version, b.Status = 2, booking.StatusPending
	update(t, first, b)
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen := <-read; !reflect.DeepEqual(seen, b) {
		t.Errorf("read %+v, not %+v", seen, b)
	}
	rollback(t, second)
}

func TestALockMovesNoNumber(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := insert(t, pool, confirmed())
	makeFeeds(t, pool)
	for range 3 {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := lock(t.Context(), tx, b.ID, customer)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if heads := value[[]int64](t, pool, "SELECT array_agg(head) FROM feeds WHERE role <> 'all'"); !reflect.DeepEqual(heads, []int64{0, 0}) {
		t.Errorf("heads = %v", heads)
	}
}

// A foreign booking is answered as one that does not exist, and not even its
// existence can be told from a wait.
func TestAForeignBookingCannotBeToldFromNone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := insert(t, pool, confirmed())
	holder := begin(t, pool)
	if _, err := lock(t.Context(), holder, b.ID, booking.Internal); err != nil {
		t.Fatal(err)
	}
	for by, id := range map[booking.Actor]uuid.UUID{
		{Role: booking.RoleCustomer, ID: "carl"}:      b.ID,
		{Role: booking.RoleProvider, ID: customer.ID}: b.ID,
		{Role: booking.RoleCustomer, ID: provider.ID}: b.ID,
		customer:         uuid.New(),
		booking.Internal: uuid.Nil,
	} {
		tx := begin(t, pool)
		if _, err := lock(t.Context(), tx, id, by); !errors.Is(err, bookingdb.ErrNotFound) {
			t.Errorf("lock by %+v: %v", by, err)
		}
		rollback(t, tx)
		if _, err := bookingdb.Get(t.Context(), pool, id, by); !errors.Is(err, bookingdb.ErrNotFound) {
			t.Errorf("get by %+v: %v", by, err)
		}
	}
	rollback(t, holder)
}

func TestAFaultIsNotTakenForNoBooking(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	tx := begin(t, pool)
	rollback(t, tx)
	_, lockErr := lock(t.Context(), tx, uuid.New(), provider)
	_, getErr := bookingdb.Get(t.Context(), tx, uuid.New(), provider)
	if lockErr == nil || getErr == nil || errors.Is(lockErr, bookingdb.ErrNotFound) || errors.Is(getErr, bookingdb.ErrNotFound) {
		t.Errorf("on a closed transaction: %v, %v", lockErr, getErr)
	}
}

func lockInBackground(t *testing.T, tx pgx.Tx, b booking.Booking) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := lock(t.Context(), tx, b.ID, provider)
		done <- err
	}()
	return done
}

func makeFeeds(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), "INSERT INTO feeds (role, user_id) VALUES ('provider', $1), ('customer', $2)", provider.ID, customer.ID); err != nil {
		t.Fatal(err)
	}
}

// isFree reports whether a row could be locked now.
func isFree(t *testing.T, pool *pgxpool.Pool, lock string) bool {
	t.Helper()
	_, err := pool.Exec(t.Context(), lock+" NOWAIT")
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "55P03" {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

func exec(t *testing.T, db sqlc.DBTX, sql string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func rollback(t *testing.T, tx pgx.Tx) {
	t.Helper()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// lock reads a booking's parties and takes its locks, as all writing paths do.
func lock(ctx context.Context, tx pgx.Tx, id uuid.UUID, by booking.Actor) (booking.Booking, error) {
	parties, err := bookingdb.ReadParties(ctx, tx, id, by)
	if err != nil {
		return booking.Booking{}, err
	}
	return bookingdb.Lock(ctx, tx, parties)
}
