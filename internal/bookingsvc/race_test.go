package bookingsvc_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

const racers = 50

func customerNumber(i int) booking.Actor {
	return booking.Actor{Role: booking.RoleCustomer, ID: fmt.Sprintf("customer-%d", i)}
}

func TestRacingCreatesBookTheSlotOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	answers := race(racers, func(i int) booking.Reason {
		_, err := d.Create(t.Context(), customerNumber(i), at(1))
		return reasonOf(t, err)
	})
	if got := tally(answers); got[""] != 1 || got[booking.ReasonSlotTaken] != racers-1 {
		t.Errorf("answers: %v", got)
	}
	want := map[string]int{"bookings": 1, "booking_events": 1, "feeds WHERE role <> 'all'": 2, "feed_entries": 2, "event_outbox": 1, "river_job": 1}
	if got := d.rows(); !reflect.DeepEqual(got, want) {
		t.Errorf("rows: %v", got)
	}
	d.checkFeeds()
}

func TestRacingCreatesOfOverlappingSlotsBookOne(t *testing.T) {
	t.Parallel()
	d := open(t)
	answers := race(racers, func(i int) booking.Reason {
		request := at(1)
		request.Slot.Start = request.Slot.Start.Add(time.Duration(i) * time.Microsecond)
		request.Slot.End = request.Slot.End.Add(time.Duration(i) * time.Minute)
		_, err := d.Create(t.Context(), customerNumber(i), request)
		return reasonOf(t, err)
	})
	if got := tally(answers); got[""] != 1 || got[booking.ReasonSlotTaken] != racers-1 {
		t.Errorf("answers: %v", got)
	}
}

func TestRacingRetriesOfOneKeyBookOnce(t *testing.T) {
	t.Parallel()
	for _, by := range []booking.Actor{anna, ben, booking.Internal} {
		t.Run(string(by.Role), func(t *testing.T) {
			t.Parallel()
			d := open(t)
			answers := race(racers, func(int) bookingsvc.Created {
				created, err := d.Create(t.Context(), by, with("a-key", forAnna(1)))
				if err != nil {
					t.Error(err)
				}
				return created
			})
			checkOneAnswer(t, answers)
			want := map[string]int{"bookings": 1, "booking_events": 1, "feeds WHERE role <> 'all'": 2, "feed_entries": 2, "event_outbox": 1, "river_job": 1}
			if got := d.rows(); !reflect.DeepEqual(got, want) {
				t.Errorf("rows: %v", got)
			}
			d.checkJobs()
		})
	}
}

func checkOneAnswer(t *testing.T, answers []bookingsvc.Created) {
	t.Helper()
	first := 0
	for _, answer := range answers {
		if !reflect.DeepEqual(answer.Booking, answers[0].Booking) {
			t.Errorf("answered %+v and %+v", answer.Booking, answers[0].Booking)
		}
		if !answer.Replayed {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d answers were the first", first)
	}
}

func TestRacingCallsOfTwoSortsShareNoKey(t *testing.T) {
	t.Parallel()
	d := open(t)
	answers := race(racers, func(i int) booking.Reason {
		_, err := d.Create(t.Context(), anna, with("a-key", at(i%2)))
		return reasonOf(t, err)
	})
	// The call at noon is in the past and makes no booking, so its key is free.
	got := tally(answers)
	if got[""] != racers/2 || got[booking.ReasonStartInPast]+got[booking.ReasonIdempotencyKeyReused] != racers/2 {
		t.Errorf("answers: %v", got)
	}
	if n := d.rows()["bookings"]; n != 1 {
		t.Errorf("%d bookings", n)
	}
}

func TestRacingCreatesNeverHoldMoreThanMaxPending(t *testing.T) {
	t.Parallel()
	d := open(t)
	answers := race(racers, func(i int) booking.Reason {
		_, err := d.Create(t.Context(), anna, at(1+i))
		return reasonOf(t, err)
	})
	if got := tally(answers); got[""] != maxPending || got[booking.ReasonTooManyPending] != racers-maxPending {
		t.Errorf("answers: %v", got)
	}
	if n := d.rows()["bookings"]; n != maxPending {
		t.Errorf("%d bookings", n)
	}
	d.checkFeeds()
}

// A customer's move makes a CONFIRMED booking PENDING: it counts like a create.
func TestMovesRacingWithCreatesNeverHoldMoreThanMaxPending(t *testing.T) {
	t.Parallel()
	d := open(t)
	const each = 15
	confirmed := make([]booking.Booking, each)
	for i := range confirmed {
		confirmed[i] = d.book(ben, forAnna(1+i))
	}
	answers := race(2*each, func(i int) booking.Reason {
		if i%2 == 0 {
			_, err := d.Create(t.Context(), anna, at(100+i))
			return reasonOf(t, err)
		}
		_, err := d.Reschedule(t.Context(), anna, target(confirmed[i/2]), to(200+i))
		return reasonOf(t, err)
	})
	if got := tally(answers); got[""] != maxPending || got[booking.ReasonTooManyPending] != 2*each-maxPending {
		t.Errorf("answers: %v", got)
	}
	if n := value[int](d, "SELECT count(*) FROM bookings WHERE status = 'PENDING'"); n != maxPending {
		t.Errorf("%d are pending", n)
	}
}

// Six slots for twelve bookings that are moved about, cancelled and made anew.
func TestMovesAndCancelsRacingWithCreatesNeverOverlap(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.MaxPending = 1000
	stop := d.watchOverlaps()
	race(8, func(i int) bool {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		var mine []booking.Booking
		for range 50 {
			mine = d.moveAbout(random, customerNumber(i), mine)
		}
		return true
	})
	stop()
	d.checkFeeds()
	d.checkJobs()
}

// moveAbout makes one random call; the slots are the six after noon.
func (d *desk) moveAbout(random *rand.Rand, by booking.Actor, mine []booking.Booking) []booking.Booking {
	hours := 1 + random.IntN(6)
	if len(mine) == 0 || random.IntN(3) == 0 {
		created, err := d.Create(d.t.Context(), by, at(hours))
		d.expect(err, booking.ReasonSlotTaken)
		if err != nil {
			return mine
		}
		return append(mine, created.Booking)
	}
	i := random.IntN(len(mine))
	if random.IntN(3) > 0 {
		_, err := d.Reschedule(d.t.Context(), by, target(mine[i]), to(hours))
		d.expect(err, booking.ReasonSlotTaken)
		return mine
	}
	_, err := d.Change(d.t.Context(), by, target(mine[i]), booking.Cancel("no time"))
	d.expect(err)
	return append(mine[:i], mine[i+1:]...)
}

// expect fails the test where a call fails for another reason than these.
func (d *desk) expect(err error, reasons ...booking.Reason) {
	d.t.Helper()
	if got := reasonOf(d.t, err); got != "" && !slices.Contains(reasons, got) {
		d.t.Errorf("failed: %v", err)
	}
}

func tally(answers []booking.Reason) map[booking.Reason]int {
	counts := map[booking.Reason]int{}
	for _, answer := range answers {
		counts[answer]++
	}
	return counts
}
