package remind_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/clock"
)

// machine is a machine whose clock differs from PostgreSQL's: what a test with
// a PostgreSQL on another machine would have, seen from the other side.
type machine struct{ wrong atomic.Int64 }

func (m *machine) now() time.Time { return time.Now().Add(time.Duration(m.wrong.Load())) }

// openWrong is open for a machine whose clock is wrong by so much, with the
// program's own clock set by PostgreSQL's. What it returns steps the machine's.
func openWrong(t *testing.T, lead, wrong time.Duration) (*desk, func(wrong time.Duration)) {
	t.Helper()
	d := open(t, lead)
	var m machine
	c := clock.New(d.Pool.Pool, m.now, slog.New(slog.DiscardHandler))
	step := func(wrong time.Duration) {
		t.Helper()
		m.wrong.Store(int64(wrong))
		if err := c.Measure(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step(wrong)
	d.Now = c.Now
	return d, step
}

// wrongs are by how much clocks are wrong: far more than the leads here.
var wrongs = map[string]time.Duration{"ahead": 30 * time.Second, "behind": -30 * time.Second}

// A start that lies ahead for one clock and not for the other would have its
// reminder skipped; so would one whose job comes to run late by the difference.
func TestAReminderWithAShortLeadComesWhereTheClocksDiffer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until reminders are due")
	}
	for name, wrong := range wrongs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := openWrong(t, 4*time.Second, wrong)
			d.work()
			reader := d.subscribe(anna)
			later, atOnce := d.bookIn(6*time.Second), d.bookIn(3*time.Second)
			next(t, reader, booking.EventCreated)
			next(t, reader, booking.EventCreated)
			for _, b := range []booking.Booking{atOnce, later} {
				reminder := next(t, reader, booking.EventReminderDue)
				if reminder.BookingID != b.ID.String() || reminder.Time.Before(b.Reminder.DueTime) || !reminder.Time.Before(b.Slot.Start) {
					t.Errorf("of %s at %v, not of %s, due at %v", reminder.BookingID, reminder.Time, b.ID, b.Reminder.DueTime)
				}
				d.checkReminder(b, booking.ReminderSent, 1)
			}
		})
	}
}

// River's driver would stamp it by the machine's clock, which this test cannot
// set: it stands for PostgreSQL's here, and the program's own is another.
func TestAJobThatIsDueIsStampedByPostgreSQLsClock(t *testing.T) {
	t.Parallel()
	d := open(t, always)
	now := time.Now().Add(-time.Hour)
	d.Now = func() time.Time { return now }
	d.book(time.Minute)
	if job := d.checkJobs("available")[0]; !job.ScheduledAt.Equal(booking.Microseconds(now)) {
		t.Errorf("to run at %v, not %v", job.ScheduledAt, now)
	}
}

func TestWhatIsPastIsSaidByPostgreSQLsClock(t *testing.T) {
	t.Parallel()
	for name, wrong := range wrongs {
		d, _ := openWrong(t, time.Minute, wrong)
		for startsIn, want := range map[time.Duration]booking.Reason{
			-2 * time.Second: booking.ReasonStartInPast, 20 * time.Second: "", 80 * time.Second: "",
		} {
			start := d.postgresTime().Add(startsIn)
			request := booking.Request{ProviderID: ben.ID, Slot: booking.Slot{Start: start, End: start.Add(time.Second)}}
			created, err := d.Create(t.Context(), anna, request)
			if (err == nil) != (want == "") || err != nil && !booking.IsReason(err, want) {
				t.Errorf("%s, starts in %v: %v", name, startsIn, err)
			}
			if off := d.postgresTime().Sub(created.Booking.CreateTime); err == nil && off.Abs() > time.Second {
				t.Errorf("%s: made %v ago", name, off)
			}
		}
	}
}

// The machine's clock jumps while bookings are made and their reminders fall due.
func TestNoReminderIsSkippedWhileAClockSteps(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits until reminders are due")
	}
	d, step := openWrong(t, 4*time.Second, 0)
	d.work()
	var booked []booking.Booking
	for i := range 16 {
		step([]time.Duration{30 * time.Second, -30 * time.Second, 5 * time.Second, -5 * time.Second}[i%4])
		booked = append(booked, d.bookIn(3*time.Second+time.Duration(i)*time.Second/2))
	}
	d.drained()
	for _, b := range booked {
		d.checkReminder(b, booking.ReminderSent, 1)
	}
}

func (d *desk) postgresTime() time.Time {
	d.t.Helper()
	return value[time.Time](d, "SELECT clock_timestamp()")
}

// bookIn is book by PostgreSQL's clock, for a moment.
func (d *desk) bookIn(startsIn time.Duration) booking.Booking {
	d.t.Helper()
	start := d.postgresTime().Add(startsIn)
	request := booking.Request{CustomerID: anna.ID, Slot: booking.Slot{Start: start, End: start.Add(100 * time.Millisecond)}}
	created, err := d.Create(d.t.Context(), ben, request)
	if err != nil {
		d.t.Fatal(err)
	}
	return created.Booking
}
