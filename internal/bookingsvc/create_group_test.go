package bookingsvc_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/pgtest"
)

// regulars is how many providers a salon has, and one more, each with a customer who has
// been there. As many creates wait: one more would be a full group, which waits for none.
const regulars = 7

// salon is a desk whose bookings are written in groups.
type salon struct{ *desk }

func openSalon(t *testing.T) salon {
	t.Helper()
	s := salon{open(t)}
	for i := range regulars + 1 {
		s.book(customerNumber(i), atProvider(i, 100))
	}
	return s
}

func atProvider(i, hours int) booking.Request {
	request := at(hours)
	request.ProviderID = fmt.Sprintf("provider-%d", i)
	return request
}

func forCustomer(i int, request booking.Request) booking.Request {
	request.CustomerID = customerNumber(i).ID
	return request
}

// answer is what a create came to.
type answer struct {
	bookingsvc.Created

	err error
}

// hold keeps a group from its end, so that whoever comes waits for the next. release
// lets it go on once so many wait; what is locked by a statement stays so until letGo.
func (s salon) hold(locking string) (release func(waiting int), letGo func()) {
	s.t.Helper()
	s.Crowd()
	holder, err := s.pool.Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	letGo = func() { _ = holder.Rollback(context.Background()) }
	s.t.Cleanup(letGo)
	s.execute(holder, locking+"; SAVEPOINT locked; LOCK TABLE feeds")
	first := make(chan error, 1)
	go func() {
		_, err := s.Create(s.t.Context(), customerNumber(regulars), atProvider(regulars, 1))
		first <- err
	}()
	pgtest.Eventually(s.t, "a group that waits for the table", func() bool { return value[int](s.desk, waits) == 1 })
	return func(waiting int) {
		s.t.Helper()
		s.awaitWaiting(waiting)
		s.execute(holder, "ROLLBACK TO locked")
		if err := <-first; err != nil {
			s.t.Error(err)
		}
	}, letGo
}

// waits counts who waits for the lock of the table of feeds.
const waits = `
	SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
	WHERE datname = current_database() AND relation = 'feeds'::regclass AND NOT granted`

func (s salon) awaitWaiting(n int) {
	s.t.Helper()
	pgtest.Eventually(s.t, "creates that wait", func() bool { return s.Waiting() == n })
}

func (s salon) execute(db sqlc.DBTX, sql string) {
	s.t.Helper()
	if _, err := db.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatal(err)
	}
}

// gather begins creates that wait for each other, and lets all of them go on.
func (s salon) gather(n int, create func(i int) (bookingsvc.Created, error)) []answer {
	s.t.Helper()
	release, letGo := s.hold("")
	defer letGo()
	answers := make(chan []answer, 1)
	go func() {
		answers <- race(n, func(i int) answer {
			created, err := create(i)
			return answer{created, err}
		})
	}()
	release(n)
	return <-answers
}

func (s salon) check() {
	s.t.Helper()
	s.checkFeeds()
	s.checkJobs()
	if n := value[int](s.desk, overlaps); n != 0 {
		s.t.Errorf("%d overlaps", n)
	}
}

// transactions is how many wrote the bookings of answers.
func (s salon) transactions(answers []answer) (n int) {
	s.t.Helper()
	var ids []uuid.UUID
	for _, made := range answers {
		ids = append(ids, made.Booking.ID)
	}
	if err := s.pool.QueryRow(s.t.Context(), "SELECT count(DISTINCT xmin::text) FROM bookings WHERE id = ANY ($1)", ids).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestBookingsThatWaitAreWrittenTogether(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	answers := s.gather(regulars, func(i int) (bookingsvc.Created, error) {
		return s.Create(t.Context(), customerNumber(i), atProvider(i, 1))
	})
	for _, made := range answers {
		if made.err != nil {
			t.Fatal(made.err)
		}
		stored, err := s.Get(t.Context(), booking.Internal, made.Booking.ID)
		if err != nil || !reflect.DeepEqual(stored, made.Booking) {
			t.Errorf("answered %+v\nstored   %+v, %v", made.Booking, stored, err)
		}
	}
	if n := s.transactions(answers); n != 1 {
		t.Errorf("%d transactions", n)
	}
	s.check()
}

// A statement does not see what it writes itself: the pending ones of two creates at
// one provider would not be counted.
func TestTheSecondBookingOfAProviderSeesTheFirst(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	for i := range maxPending - 4 {
		s.book(customerNumber(1), atProvider(1, 50+i))
	}
	answers := s.gather(regulars, func(i int) (bookingsvc.Created, error) {
		return s.Create(t.Context(), customerNumber(1), atProvider(1, 1+i))
	})
	reasons := map[booking.Reason]int{}
	for _, made := range answers {
		reasons[reasonOf(t, made.err)]++
	}
	if reasons[""] != 3 || reasons[booking.ReasonTooManyPending] != regulars-3 {
		t.Errorf("answers: %v", reasons)
	}
	s.check()
}

// shared are creates that are in a group together, each at a provider of its own, and
// what each is answered.
var shared = map[string]struct {
	by      booking.Actor
	request booking.Request
	want    booking.Reason
}{
	"free":                {customerNumber(0), atProvider(0, 1), ""},
	"taken":               {customerNumber(1), atProvider(1, 100), booking.ReasonSlotTaken},
	"key of another call": {customerNumber(3), with("a-key", atProvider(3, 2)), booking.ReasonIdempotencyKeyReused},
	"too many pending":    {customerNumber(4), atProvider(4, 50), booking.ReasonTooManyPending},
	"confirmed at once":   {booking.Internal, forCustomer(5, atProvider(5, 1)), ""},
	"by a newcomer":       {carl, atProvider(6, 1), ""},
	"at a newcomer":       {customerNumber(2), at(1), ""},
}

func TestEachOfAGroupHasAnAnswerOfItsOwn(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	s.book(customerNumber(3), with("a-key", atProvider(3, 1)))
	for i := range maxPending - 1 {
		s.book(customerNumber(4), atProvider(4, 1+i))
	}
	before := s.rows()
	var names []string
	for name := range shared {
		names = append(names, name)
	}
	answers := s.gather(len(names), func(i int) (bookingsvc.Created, error) {
		return s.Create(t.Context(), shared[names[i]].by, shared[names[i]].request)
	})
	made := 0
	for i, name := range names {
		if got := reasonOf(t, answers[i].err); got != shared[name].want {
			t.Errorf("%s: %q, not %q", name, got, shared[name].want)
		}
		if answers[i].err == nil {
			made++
		}
	}
	made++ // by hold
	if after := s.rows(); after["bookings"] != before["bookings"]+made || after["booking_events"] != before["booking_events"]+made {
		t.Errorf("%d made: %v before, %v after", made, before, after)
	}
	if n := s.transactions(answers); n != 3 {
		t.Errorf("%d transactions, not one and those of two newcomers", n)
	}
	s.check()
}

func TestAKeyInAGroupIsReplayed(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	first := s.book(customerNumber(0), with("a-key", atProvider(0, 1)))
	answers := s.gather(regulars, func(i int) (bookingsvc.Created, error) {
		return s.Create(t.Context(), customerNumber(i%2), with("a-key", atProvider(i%2, 1)))
	})
	replayed := 0
	for _, made := range answers {
		if made.err != nil {
			t.Fatal(made.err)
		}
		if made.Replayed {
			replayed++
		}
	}
	if n := s.transactions(answers); replayed != regulars-1 || n != 2 || answers[0].Booking.ID != first.ID {
		t.Errorf("%d replayed, %d transactions, %+v", replayed, n, answers[0])
	}
	s.check()
}

// Nothing is held up: groups are made and written by many callers at once.
func TestRacingGroupsBookEachSlotOnce(t *testing.T) {
	t.Parallel()
	const slots = 5
	s := openSalon(t)
	s.Crowd()
	stop := s.watchOverlaps()
	answers := race(4*regulars*slots, func(i int) booking.Reason {
		_, err := s.Create(t.Context(), customerNumber(i%(regulars+2)), atProvider(i%regulars, 1+i/regulars%slots))
		return reasonOf(t, err)
	})
	stop()
	if got := tally(answers); got[""] != regulars*slots || got[booking.ReasonSlotTaken] != 3*regulars*slots {
		t.Errorf("answers: %v", got)
	}
	s.check()
}
