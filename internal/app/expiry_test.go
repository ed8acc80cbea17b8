package app

import (
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

// asked is a booking that was asked for through one door, and that nobody answers.
type asked struct {
	*instance
	door    door
	request *bookingsv1.CreateBookingRequest
	id      string
}

func TestWhatNobodyAnswersExpiresAndFreesItsSlotThroughEachDoor(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.PendingTTL, s.MaxPending = time.Second, int64(len(doors)) })
	var all []asked
	for n, door := range doors {
		a := asked{instance: i, door: door, request: &bookingsv1.CreateBookingRequest{
			ProviderId: "paul", StartTime: stamp(soon(n)), EndTime: stamp(soon(n + 1)),
		}}
		made := bookingOf(t, a.call("cara", "CreateBooking", a.request))
		if want := made.GetCreateTime().AsTime().Add(time.Second); !made.GetExpireTime().AsTime().Equal(want) {
			t.Errorf("%s: expires at %v, not at %v", door.name, made.GetExpireTime().AsTime(), want)
		}
		a.id = made.GetId()
		all = append(all, a)
	}
	for _, a := range all {
		a.checkExpired()
		a.checkTold()
		bookingOf(t, a.call("eve", "CreateBooking", a.request)) // the slot is free
	}
}

func (a asked) call(customer, method string, request proto.Message) answer {
	a.t.Helper()
	return a.callAs(a.as(booking.RoleCustomer, customer), method, request)
}

func (a asked) callAs(who http.Header, method string, request proto.Message) answer {
	a.t.Helper()
	got := a.door.call(a.instance, call{method: method, request: request, header: who})
	checkVerdict(a.t, a.door.name+": "+method, got, fine)
	return got
}

func (a asked) checkExpired() {
	a.t.Helper()
	var b *bookingsv1.Booking
	pgtest.Eventually(a.t, "a booking that has expired", func() bool {
		b = bookingOf(a.t, a.call("cara", "GetBooking", &bookingsv1.GetBookingRequest{Id: a.id}))
		return b.GetStatus() == bookingsv1.BookingStatus_BOOKING_STATUS_CANCELLED
	})
	how := b.GetCancellation()
	if how.GetCancelledBy() != bookingsv1.Role_ROLE_SYSTEM || how.GetReason() != "expired" ||
		b.GetExpireTime() != nil || len(b.GetAllowedActions()) != 0 || b.GetVersion() != 2 {
		a.t.Errorf("%s: %v", a.door.name, b)
	}
}

// checkTold looks for the expiry in the history and in both parties' feeds.
func (a asked) checkTold() {
	a.t.Helper()
	history, ok := a.call("cara", "ListBookingEvents", &bookingsv1.ListBookingEventsRequest{Id: a.id}).response.(*bookingsv1.ListBookingEventsResponse)
	if events := history.GetEvents(); !ok || len(events) != 2 || events[1].GetType() != "booking.cancelled" ||
		events[1].GetActor().GetRole() != bookingsv1.Role_ROLE_SYSTEM || events[1].GetActor().GetId() != "" {
		a.t.Errorf("%s: history %v", a.door.name, history)
	}
	for _, who := range []http.Header{a.as(booking.RoleCustomer, "cara"), a.as(booking.RoleProvider, "paul")} {
		told := 0
		page, _ := a.callAs(who, "ListEvents", &bookingsv1.ListEventsRequest{Types: []string{"booking.cancelled"}}).response.(*bookingsv1.ListEventsResponse)
		for _, event := range page.GetEvents() {
			data := event.GetData().GetFields()
			if event.GetSubject() == a.id && data["cancelledBy"].GetStringValue() == "ROLE_SYSTEM" && data["reason"].GetStringValue() == "expired" {
				told++
			}
		}
		if told != 1 {
			a.t.Errorf("%s: told %d times: %v", a.door.name, told, page)
		}
	}
}

// bookingOf is the booking that was answered.
func bookingOf(t testing.TB, a answer) *bookingsv1.Booking {
	t.Helper()
	response, ok := a.response.(interface{ GetBooking() *bookingsv1.Booking })
	if !ok {
		t.Fatal(a)
	}
	return response.GetBooking()
}
