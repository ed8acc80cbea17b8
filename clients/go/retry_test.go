package bookings_test

import (
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/cabletest"
	"bookings/internal/pgtest"
)

// many is enough for any fault of a test to end.
const many = 1000

func TestACreateWhoseAnswerIsLostBooksOnce(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	wire := cabletest.New(t, s.address)
	near, far := service(t, wire.URL()), service(t, s.url())
	book(t, near, 1) // the line stands

	wire.Deafen()
	request := wish(2)
	answer := later(func() (*bookingsv1.CreateBookingResponse, error) { return near.CreateBooking(t.Context(), request) })
	var all []*bookingsv1.Booking
	pgtest.Eventually(t, "a booking whose maker was not told", func() bool {
		list, err := far.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{})
		all = list.GetBookings()
		return err == nil && len(all) == 2
	})
	wire.Lead(s.address)
	got, err := answer(t)
	if err != nil || got.GetBooking().GetId() != all[1].GetId() {
		t.Errorf("it was told %v, %v; booked is %v", got, err, all[1])
	}
	if request.GetIdempotencyKey() != "" {
		t.Error("the caller's message was changed")
	}
}

// A change whose answer was lost is undone by somebody else, before the client hears
// that the line is cut.
func TestNoChangeIsMadeASecondTimeOverWhatOthersDid(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	for name, withEtag := range map[string]bool{"without an etag": false, "with an etag": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire := cabletest.New(t, s.address)
			day := 1
			if withEtag {
				day = 2
			}
			alice, bob := as(t, s.url(), booking.RoleCustomer, "alice"), as(t, wire.URL(), booking.RoleProvider, "bob")
			asked := book(t, alice, day)
			get(t, bob, asked.GetId()) // the line stands

			wire.Deafen()
			confirm := &bookingsv1.ConfirmBookingRequest{Id: asked.GetId()}
			if withEtag {
				confirm.Etag = asked.GetEtag()
			}
			answer := later(func() (*bookingsv1.ConfirmBookingResponse, error) { return bob.ConfirmBooking(t.Context(), confirm) })
			pgtest.Eventually(t, "the confirmation", func() bool {
				return get(t, alice, asked.GetId()).GetStatus() == bookingsv1.BookingStatus_BOOKING_STATUS_CONFIRMED
			})
			move(t, alice, asked)
			wire.Lead(s.address)

			_, err := answer(t)
			if err == nil || withEtag != (bookings.Reason(err) == bookings.ReasonEtagMismatch) {
				t.Errorf("it ended with %v", err)
			}
			if now := get(t, alice, asked.GetId()); now.GetStatus() != bookingsv1.BookingStatus_BOOKING_STATUS_PENDING {
				t.Errorf("a time that bob has never seen is %v", now.GetStatus())
			}
		})
	}
}

// move moves a booking by two hours.
func move(t *testing.T, c *bookings.Client, b *bookingsv1.Booking) {
	t.Helper()
	begin := b.GetStartTime().AsTime().Add(2 * time.Hour)
	_, err := c.RescheduleBooking(t.Context(), &bookingsv1.RescheduleBookingRequest{
		Id: b.GetId(), StartTime: timestamppb.New(begin), EndTime: timestamppb.New(begin.Add(time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCallsOutliveARestartOfTheServer(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	s := start(t, databaseURL)
	asked := book(t, as(t, s.url(), booking.RoleCustomer, "alice"), 1)
	bob := client(t, bookings.Options{URL: s.url(), Token: bookings.StaticToken(token(t, booking.RoleProvider, "bob", time.Hour)), Tries: many})
	s.end(syscall.SIGKILL)

	read := later(func() (*bookingsv1.ListBookingsResponse, error) {
		return bob.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{})
	})
	// Nobody was reached: then also a change without an etag may be made again.
	confirm := later(func() (*bookingsv1.ConfirmBookingResponse, error) {
		return bob.ConfirmBooking(t.Context(), &bookingsv1.ConfirmBookingRequest{Id: asked.GetId()})
	})
	start(t, databaseURL, "ADDR="+s.address)
	if list, err := read(t); err != nil || len(list.GetBookings()) != 1 {
		t.Errorf("the list is %v, %v", list, err)
	}
	if _, err := confirm(t); err != nil {
		t.Errorf("the confirmation ended with %v", err)
	}
}

func TestALimitedCallWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	const limit = 60
	s := start(t, pgtest.URL(t), "RATE_LIMIT_RPM=60")
	bob := as(t, s.url(), booking.RoleProvider, "bob")
	for range limit + 2 {
		if _, err := bob.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	once := client(t, bookings.Options{URL: s.url(), Token: bookings.StaticToken(token(t, booking.RoleProvider, "bob", time.Hour)), Tries: 1})
	var err error
	for range limit {
		if _, err = once.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{}); err != nil {
			break
		}
	}
	if bookings.Reason(err) != bookings.ReasonRateLimited {
		t.Errorf("a client of one try was told %v", err)
	}
}

func TestReasonsAndFieldsAtFaultAreReadable(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	c := service(t, s.url())
	book(t, c, 1)
	_, err := c.CreateBooking(t.Context(), wish(1))
	if bookings.Reason(err) != bookings.ReasonSlotTaken {
		t.Errorf("a slot that is taken is %v", err)
	}
	_, err = c.GetBooking(t.Context(), &bookingsv1.GetBookingRequest{Id: "x"})
	fields := bookings.Violations(err)
	if bookings.Reason(err) != bookings.ReasonValidationFailed || len(fields) != 1 || fields[0].Field != "id" || fields[0].Description == "" {
		t.Errorf("an id that is none is %v: %+v", err, fields)
	}
}
