package app

import (
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// The verdicts of the table of rights.
const (
	notAllowed = "PERMISSION_DENIED NOT_ALLOWED"
	notFound   = "NOT_FOUND BOOKING_NOT_FOUND"
)

// right is what each kind of caller may do: the customer, the provider and
// internal services with a booking of theirs, and those who have no part in it.
type right struct {
	method                       string
	request                      func(id string) proto.Message
	customer, provider           string
	otherCustomer, otherProvider string
	internal                     string
}

func rights() []right {
	from, to := stamp(soon(100)), stamp(soon(101))
	return []right{
		{"GetBooking", func(id string) proto.Message { return &bookingsv1.GetBookingRequest{Id: id} }, fine, fine, notFound, notFound, fine},
		{"ListBookingEvents", func(id string) proto.Message { return &bookingsv1.ListBookingEventsRequest{Id: id} }, fine, fine, notFound, notFound, fine},
		{"UpdateBooking", func(id string) proto.Message {
			return &bookingsv1.UpdateBookingRequest{Id: id, Note: new("another")}
		}, fine, fine, notFound, notFound, fine},
		{"CancelBooking", func(id string) proto.Message { return &bookingsv1.CancelBookingRequest{Id: id} }, fine, fine, notFound, notFound, fine},
		{"RescheduleBooking", func(id string) proto.Message {
			return &bookingsv1.RescheduleBookingRequest{Id: id, StartTime: from, EndTime: to, ValidateOnly: true}
		}, fine, fine, notFound, notFound, fine},
		{"ConfirmBooking", func(id string) proto.Message { return &bookingsv1.ConfirmBookingRequest{Id: id} }, notAllowed, fine, notAllowed, notFound, fine},
		{"CompleteBooking", func(id string) proto.Message { return &bookingsv1.CompleteBookingRequest{Id: id} }, notAllowed, fine, notAllowed, notFound, fine},
		{"MarkBookingNoShow", func(id string) proto.Message { return &bookingsv1.MarkBookingNoShowRequest{Id: id} }, notAllowed, fine, notAllowed, notFound, fine},
	}
}

func TestEachRoleMayDoWithABookingWhatTheTableSays(t *testing.T) {
	t.Parallel()
	i := start(t, func(s *Settings) { s.MaxPending = 1000 })
	hours := 0
	for _, right := range rights() {
		for _, who := range []struct {
			name   string
			header http.Header
			want   string
		}{
			{"customer", i.as(booking.RoleCustomer, "cara"), right.customer},
			{"provider", i.as(booking.RoleProvider, "paul"), right.provider},
			{"other customer", i.as(booking.RoleCustomer, "eve"), right.otherCustomer},
			{"other provider", i.as(booking.RoleProvider, "eve"), right.otherProvider},
			{"the customer's name as a provider", i.as(booking.RoleProvider, "cara"), right.otherProvider},
			{"the provider's name as a customer", i.as(booking.RoleCustomer, "paul"), right.otherCustomer},
			{"internal", asInternal(), right.internal},
		} {
			hours++
			id := i.bookFor(right.method, hours)
			got := overGRPC(i, call{method: right.method, request: right.request(id), header: who.header})
			checkVerdict(t, right.method+" by "+who.name, got, who.want)
			absent := overGRPC(i, call{method: right.method, request: right.request(nobodys), header: who.header})
			if want := who.want; want == fine {
				checkVerdict(t, right.method+" of none by "+who.name, absent, notFound)
			} else {
				checkVerdict(t, right.method+" of none by "+who.name, absent, want)
			}
		}
	}
}

// overGRPC calls as internal services do, who are admitted nowhere else.
var overGRPC = viaConnect(formProto, http2, connect.WithGRPC())

// bookFor makes a booking of cara's with paul that allows the method.
func (i *instance) bookFor(method string, hours int) string {
	i.t.Helper()
	begins := soon(hours)
	if method == "CompleteBooking" || method == "MarkBookingNoShow" {
		begins = soon(-48 - hours)
	}
	request := &bookingsv1.CreateBookingRequest{ProviderId: "paul", StartTime: stamp(begins), EndTime: stamp(begins.Add(time.Hour))}
	header := i.as(booking.RoleCustomer, "cara")
	if begins.Before(time.Now()) {
		request.CustomerId, header = "cara", i.as(booking.RoleProvider, "paul")
	}
	return idOf(i.t, overGRPC(i, call{method: "CreateBooking", request: request, header: header}))
}

func TestEachRoleMayCreateAndListWhatTheTableSays(t *testing.T) {
	t.Parallel()
	i := start(t)
	cara, paul := i.as(booking.RoleCustomer, "cara"), i.as(booking.RoleProvider, "paul")
	hours := 0
	create := func(provider, customer string) call {
		hours++
		return call{method: "CreateBooking", request: &bookingsv1.CreateBookingRequest{
			ProviderId: provider, CustomerId: customer, StartTime: stamp(soon(hours)), EndTime: stamp(soon(hours + 1)),
		}}
	}
	list := func(provider, customer string) call {
		return call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{ProviderId: provider, CustomerId: customer}}
	}
	cancel := func(provider string) call {
		return call{method: "CancelBookings", request: &bookingsv1.CancelBookingsRequest{
			ProviderId: provider, StartTimeFrom: stamp(soon(500)), StartTimeTo: stamp(soon(501)),
		}}
	}
	feed := func(role bookingsv1.Role, user string) call {
		return call{method: "ListEvents", request: &bookingsv1.ListEventsRequest{Role: role, UserId: user}}
	}
	const none, customer, provider = bookingsv1.Role_ROLE_UNSPECIFIED, bookingsv1.Role_ROLE_CUSTOMER, bookingsv1.Role_ROLE_PROVIDER
	for _, right := range []struct {
		name string
		who  http.Header
		call call
		want string
	}{
		{"customer, own name left out", cara, create("paul", ""), fine},
		{"customer, own name", cara, create("paul", "cara"), fine},
		{"customer, another's name", cara, create("paul", "eve"), notAllowed},
		{"customer, no provider", cara, create("", ""), invalid + "provider_id"},
		{"provider, own name left out", paul, create("", "cara"), fine},
		{"provider, own name", paul, create("paul", "cara"), fine},
		{"provider, another's name", paul, create("eve", "cara"), notAllowed},
		{"provider, no customer", paul, create("", ""), invalid + "customer_id"},
		{"internal, both", asInternal(), create("paul", "cara"), fine},
		{"internal, no provider", asInternal(), create("", "cara"), invalid + "provider_id"},
		{"internal, no customer", asInternal(), create("paul", ""), invalid + "customer_id"},
		{"customer, own list", cara, list("", ""), fine},
		{"customer, own name", cara, list("", "cara"), fine},
		{"customer, another's list", cara, list("", "eve"), notAllowed},
		{"customer, one provider", cara, list("paul", ""), fine},
		{"provider, own list", paul, list("paul", ""), fine},
		{"provider, another's list", paul, list("eve", ""), notAllowed},
		{"provider, one customer", paul, list("", "cara"), fine},
		{"internal, all", asInternal(), list("", ""), fine},
		{"internal, one of each", asInternal(), list("paul", "cara"), fine},
		{"customer, a day", cara, cancel(""), notAllowed},
		{"customer, a provider's day", cara, cancel("paul"), notAllowed},
		{"customer, a day of the same name", cara, cancel("cara"), notAllowed},
		{"provider, own day", paul, cancel(""), fine},
		{"provider, own day by name", paul, cancel("paul"), fine},
		{"provider, another's day", paul, cancel("eve"), notAllowed},
		{"internal, a provider's day", asInternal(), cancel("paul"), fine},
		{"internal, nobody's day", asInternal(), cancel(""), invalid + "provider_id"},
		{"customer, own feed", cara, feed(none, ""), fine},
		{"customer, own feed by name", cara, feed(customer, "cara"), fine},
		{"customer, own feed in the other role", cara, feed(provider, "cara"), notAllowed},
		{"customer, another's feed", cara, feed(customer, "eve"), notAllowed},
		{"provider, own feed", paul, feed(provider, ""), fine},
		{"provider, another's feed", paul, feed(none, "eve"), notAllowed},
		{"internal, a feed", asInternal(), feed(customer, "cara"), fine},
		{"internal, no role", asInternal(), feed(none, "cara"), invalid + "role"},
		{"internal, no user", asInternal(), feed(provider, ""), invalid + "user_id"},
	} {
		right.call.header = right.who
		checkVerdict(t, right.call.method+" by "+right.name, overGRPC(i, right.call), right.want)
	}
}

func TestStatusesFollowTheRole(t *testing.T) {
	t.Parallel()
	i := start(t)
	for n, who := range []struct {
		header http.Header
		want   bookingsv1.BookingStatus
	}{
		{i.as(booking.RoleCustomer, "cara"), bookingsv1.BookingStatus_BOOKING_STATUS_PENDING},
		{i.as(booking.RoleProvider, "paul"), bookingsv1.BookingStatus_BOOKING_STATUS_CONFIRMED},
		{asInternal(), bookingsv1.BookingStatus_BOOKING_STATUS_CONFIRMED},
	} {
		made := overGRPC(i, call{method: "CreateBooking", header: who.header, request: &bookingsv1.CreateBookingRequest{
			ProviderId: "paul", CustomerId: "cara", StartTime: stamp(soon(n)), EndTime: stamp(soon(n + 1)),
		}})
		response, ok := made.response.(*bookingsv1.CreateBookingResponse)
		if !ok || response.GetBooking().GetStatus() != who.want {
			t.Errorf("%v: %v, want %v", made, response, who.want)
		}
	}
}

// Listed is what the caller has a part in, and nothing else.
func TestListsHoldTheCallersOwn(t *testing.T) {
	t.Parallel()
	i := start(t)
	i.book("cara", 0)
	i.book("eve", 1)
	for _, who := range []struct {
		header http.Header
		want   int
	}{
		{i.as(booking.RoleCustomer, "cara"), 1},
		{i.as(booking.RoleCustomer, "paul"), 0},
		{i.as(booking.RoleProvider, "paul"), 2},
		{i.as(booking.RoleProvider, "cara"), 0},
		{asInternal(), 2},
	} {
		got := overGRPC(i, call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{}, header: who.header})
		response, ok := got.response.(*bookingsv1.ListBookingsResponse)
		if !ok || len(response.GetBookings()) != who.want {
			t.Errorf("%v: %d bookings, want %d", got, len(response.GetBookings()), who.want)
		}
	}
}
