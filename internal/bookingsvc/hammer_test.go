package bookingsvc_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/expire"
	"bookings/internal/feed"
	"bookings/internal/jobs"
	"bookings/internal/pgpool"
	"bookings/internal/pgtest"
	"bookings/internal/remind"
)

const (
	hammerers = 12
	blows     = 60
)

// hammer is what many callers do to few users at once. Everybody is a customer
// and a provider, and books everybody else: locks are taken crosswise.
type hammer struct {
	*desk
	// hasty is the service where PENDING bookings expire at once.
	hasty *bookingsvc.Service
	users []string

	mu       sync.Mutex
	bookings []booking.Booking
}

// Every path that writes, against every other: creates with and without keys,
// trials, all changes by all roles, days that are called off, and the workers, whose
// reminders are all due at once, as are half of the expiries.
func TestAllWritingPathsAtOnceMeetNoDeadlock(t *testing.T) {
	t.Parallel()
	h := openHammer(t)
	race(hammerers, func(i int) bool {
		random := rand.New(rand.NewPCG(uint64(i), 7))
		for i := 0; i < blows && !t.Failed(); i++ { // each deadlock costs a second
			h.expect(h.blow(random), booking.ReasonSlotTaken, booking.ReasonInvalidTransition,
				booking.ReasonTooManyPending, booking.ReasonIdempotencyKeyReused, booking.ReasonEtagMismatch)
		}
		return true
	})
	h.drain()
	h.checkFeeds()
	h.checkJobs()
	h.checkNoDeadlock()
	if n := value[int](h.desk, "SELECT count(*) FROM bookings WHERE status = 'PENDING' AND expire_time IS NOT NULL"); n != 0 {
		t.Errorf("%d that should have expired have not", n)
	}
	for _, sort := range []string{"type = 'booking.reminder.due'", "actor_role = 'system'", "data->>'reason' = 'a bad day'"} {
		if n := value[int](h.desk, "SELECT count(*) FROM booking_events WHERE "+sort); n == 0 {
			t.Errorf("none took part whose %s", sort)
		}
	}
}

// openHammer runs a worker beside the service, on connections of its own.
func openHammer(t *testing.T) *hammer {
	t.Helper()
	address := pgtest.URL(t)
	d := openOn(t, openPool(t, address))
	d.Now, d.Terms, d.MaxPending = time.Now, booking.Terms{Leads: booking.Leads{booking.MaxLead}}, 40
	pool := openPool(t, address)
	log := slog.New(slog.DiscardHandler)
	feeds := feed.NewHub(pool, nil, log)
	worker, err := jobs.NewWorker(pgpool.Of(pool), log, time.Now,
		&remind.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log}, &expire.Worker{Pool: pgpool.Of(pool), Feeds: feeds, Log: log}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { <-worker.Stopped() }) // at the end of the test's context
	hasty := &bookingsvc.Service{
		Pool: d.Pool, Jobs: d.Jobs, Feeds: d.Feeds, Log: log, Now: d.Now, MaxPending: d.MaxPending,
		Terms: booking.Terms{Leads: d.Terms.Leads, PendingTTL: time.Microsecond},
	}
	return &hammer{desk: d, hasty: hasty, users: []string{"anna", "ben", "carl"}}
}

func openPool(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = hammerers
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// blow makes one call of a random sort.
func (h *hammer) blow(random *rand.Rand) error {
	b, ok := h.any(random)
	if !ok || random.IntN(3) == 0 {
		return h.create(random)
	}
	if random.IntN(10) == 0 {
		return h.callOff(b, random)
	}
	by := someoneOf(b, random)
	there := bookingsvc.Target{ID: b.ID}
	if random.IntN(8) == 0 {
		there.Etag = b.Etag()
	}
	if random.IntN(3) == 0 {
		start := h.start(random)
		_, err := h.Reschedule(h.t.Context(), by, there, bookingsvc.Move{
			Slot: booking.Slot{Start: start, End: start.Add(time.Hour)}, ValidateOnly: random.IntN(6) == 0,
		})
		return err
	}
	if random.IntN(4) == 0 {
		_, err := h.Change(h.t.Context(), by, there, booking.Update(booking.Patch{Note: new(fmt.Sprint("note ", random.IntN(3)))}))
		return err
	}
	if by.Role == booking.RoleCustomer {
		_, err := h.Change(h.t.Context(), by, there, booking.Cancel("hammered"))
		return err
	}
	changes := []booking.Change{booking.Confirm(), booking.Confirm(), booking.Complete(), booking.MarkNoShow(), booking.Cancel("")}
	_, err := h.Change(h.t.Context(), by, there, changes[random.IntN(len(changes))])
	return err
}

// create books somebody at somebody else's. Its few keys are used again and
// again. A provider also records what has begun, so that it can be completed.
func (h *hammer) create(random *rand.Rand) error {
	i := random.IntN(len(h.users))
	j := (i + 1 + random.IntN(len(h.users)-1)) % len(h.users)
	parties := booking.Booking{ProviderID: h.users[i], CustomerID: h.users[j]}
	by := someoneOf(parties, random)
	start := h.start(random)
	if by.Role != booking.RoleCustomer && random.IntN(2) == 0 {
		start = h.Now().Add(-time.Duration(1+random.IntN(100)) * time.Hour)
	}
	request := booking.Request{
		ProviderID: parties.ProviderID, CustomerID: parties.CustomerID, Slot: booking.Slot{Start: start, End: start.Add(time.Hour)},
		ValidateOnly: random.IntN(10) == 0,
	}
	if random.IntN(3) == 0 {
		request.IdempotencyKey = fmt.Sprint("key-", random.IntN(20))
	}
	service := []*bookingsvc.Service{h.Service, h.hasty}[random.IntN(2)]
	created, err := service.Create(h.t.Context(), by, request)
	if err == nil && !request.ValidateOnly {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.bookings = append(h.bookings, created.Booking)
	}
	return err
}

// callOff calls off some hours of a booking's provider.
func (h *hammer) callOff(b booking.Booking, random *rand.Rand) error {
	from := h.start(random)
	by := booking.Actor{Role: booking.RoleProvider, ID: b.ProviderID}
	outcomes, _, err := h.CancelAll(h.t.Context(), by, booking.Closing{From: from, To: from.Add(5 * time.Hour), Reason: "a bad day"})
	for _, outcome := range outcomes {
		err = errors.Join(err, outcome.Err)
	}
	return err
}

// start is one of a hundred hours ahead.
func (h *hammer) start(random *rand.Rand) time.Time {
	return h.Now().Truncate(time.Hour).Add(time.Duration(2+random.IntN(100)) * time.Hour)
}

func someoneOf(b booking.Booking, random *rand.Rand) booking.Actor {
	return []booking.Actor{
		{Role: booking.RoleCustomer, ID: b.CustomerID}, {Role: booking.RoleProvider, ID: b.ProviderID}, booking.Internal,
	}[random.IntN(3)]
}

// any is one of the newest bookings, which others are at as well.
func (h *hammer) any(random *rand.Rand) (booking.Booking, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.bookings) == 0 {
		return booking.Booking{}, false
	}
	newest := h.bookings[max(0, len(h.bookings)-10):]
	return newest[random.IntN(len(newest))], true
}

// drain waits until the worker has nothing left to do.
func (h *hammer) drain() {
	h.t.Helper()
	pgtest.Eventually(h.t, "an empty queue", func() bool {
		return value[int](h.desk, "SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled')") == 0
	})
}

// checkNoDeadlock asks the worker's jobs and PostgreSQL itself; the calls have
// been asked already.
func (h *hammer) checkNoDeadlock() {
	h.t.Helper()
	const failed = `SELECT coalesce(string_agg(errors::text, E'\n'), '') FROM river_job WHERE state <> 'cancelled' AND errors IS NOT NULL`
	if said := value[string](h.desk, failed); said != "" {
		h.t.Errorf("jobs failed: %s", said)
	}
	if n := value[int](h.desk, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != 0 {
		h.t.Errorf("%d deadlocks", n)
	}
}
