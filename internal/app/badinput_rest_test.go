package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

func TestRESTQueriesAreReadStrictly(t *testing.T) {
	t.Parallel()
	i := start(t)
	own, others := i.book("cara", 0), i.book("cara", 2)
	unreadable := invalid[:len(invalid)-1]
	for path, want := range map[string]string{
		"/v1/bookings?page_size=1&order_by=start_time":                                              fine,
		"/v1/bookings?pageSize=1&statuses=BOOKING_STATUS_PENDING&statuses=BOOKING_STATUS_CONFIRMED": fine,
		"/v1/bookings?startTimeFrom=2026-01-01T00:00:00%2B01:00":                                    fine,
		"/v1/bookings?page_size=1&page_size=2":                                                      invalid + "page_size",
		"/v1/bookings?page_size=1&pageSize=2":                                                       invalid + "pageSize,page_size",
		"/v1/bookings?pagesize=1":                                                                   invalid + "pagesize",
		"/v1/bookings?page_size=x":                                                                  invalid + "page_size",
		"/v1/bookings?pageSize=1.5":                                                                 invalid + "page_size",
		"/v1/bookings?page_size=":                                                                   invalid + "page_size",
		"/v1/bookings?page_size=99999999999":                                                        invalid + "page_size",
		"/v1/bookings?statuses=PENDING":                                                             invalid + "statuses",
		"/v1/bookings?statuses=BOOKING_STATUS_NONE":                                                 invalid + "statuses",
		"/v1/bookings?statuses=BOOKING_STATUS_UNSPECIFIED":                                          invalid + "statuses[0]",
		"/v1/bookings?start_time_from=2026-01-01T00:00:00":                                          invalid + "start_time_from",
		"/v1/bookings?startTimeTo=2026-01-01T00:00:00+01:00":                                        invalid + "start_time_to",
		"/v1/bookings?start_time_from=10000-01-01T00:00:00Z":                                        invalid + "start_time_from",
		"/v1/bookings?start_time_from.seconds=5":                                                    invalid + "start_time_from.seconds",
		"/v1/bookings?page_token=%00":                                                               "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token",
		"/v1/bookings?customer_id=%00":                                                              invalid + "customer_id",
		"/v1/bookings?customer_id=%ff":                                                              unreadable,
		"/v1/bookings?%ff=1":                                                                        unreadable,
		"/v1/bookings?page_size=%zz":                                                                unreadable,
		"/v1/bookings?page_size=1;page_token=a":                                                     unreadable,
		"/v1/bookings?" + strings.Repeat("a", 200) + "=1":                                           invalid + strings.Repeat("a", 100) + "…",
		"/v1/bookings?foo=1&page_size=x&pageToken=a":                                                invalid + "foo,page_size",
		"/v1/bookings?:=1&.=2&=3":                                                                   invalid + ",.,:",
		"/v1/bookings/" + own + "?id=" + others:                                                     invalid + "id",
		"/v1/bookings/" + own + "?id=" + own:                                                        invalid + "id",
		"/v1/bookings/" + own + "?page_size=1":                                                      invalid + "page_size",
		"/v1/bookings/" + own + "/events?page_size=1&id=" + others:                                  invalid + "id",
		"/v1/bookings/%ff":                                                                          unreadable,
		"/v1/bookings/%00":                                                                          invalid + "id",
		"/v1/bookings/" + own + "%20":                                                               invalid + "id",
		"/v1/events?after_sequence=-1":                                                              invalid + "after_sequence",
		"/v1/events?after_sequence=9223372036854775808":                                             invalid + "after_sequence",
		"/v1/events?afterSequence=1e2":                                                              invalid + "after_sequence",
		"/v1/events?afterSequence=99":                                                               "OUT_OF_RANGE SEQUENCE_OUT_OF_RANGE",
		"/v1/events?role=customer":                                                                  invalid + "role",
		"/v1/events?role=ROLE_CUSTOMER&role=ROLE_CUSTOMER":                                          invalid + "role",
	} {
		got := i.rest(i.get(path, i.as(booking.RoleCustomer, "cara")), "ListBookings")
		checkVerdict(t, path, got, want)
	}
}

// book books for a customer of paul's, some hours ahead, and returns the id.
func (i *instance) book(customer string, hours int) string {
	i.t.Helper()
	made := curl(i, call{method: "CreateBooking", header: i.as(booking.RoleCustomer, customer), request: &bookingsv1.CreateBookingRequest{
		ProviderId: "paul", StartTime: stamp(soon(hours)), EndTime: stamp(soon(hours + 1)),
	}})
	return idOf(i.t, made)
}

func TestRESTBodiesAndQueriesDoNotMix(t *testing.T) {
	t.Parallel()
	i := start(t)
	own, other := i.book("cara", 0), i.book("cara", 2)
	for _, bad := range []struct{ path, body, want string }{
		{"/v1/bookings?note=a", body(), invalid + "note"},
		{"/v1/bookings?a=b", body(), invalid + "a"},
		{"/v1/bookings/" + own + ":cancel?reason=a", `{}`, invalid + "reason"},
		{"/v1/bookings/" + own + ":cancel?id=" + other, `{}`, invalid + "id"},
		{"/v1/bookings/" + own + ":cancel", `{"id":"` + other + `"}`, fine}, // the path counts
		{"/v1/bookings/" + own + ":cancel", `[]`, invalid + "body"},
		{"/v1/bookings/%ff:cancel", `{}`, invalid[:len(invalid)-1]},
		{"/v1/bookings/" + own + ":cancel", `{"reason":"` + strings.Repeat("a", 1001) + `"}`, invalid + "reason"},
	} {
		got := i.rest(i.post(bad.path, "application/json", strings.NewReader(bad.body), i.as(booking.RoleCustomer, "cara")), "CancelBooking")
		checkVerdict(t, bad.path+" "+bad.body, got, bad.want)
	}
	got := curl(i, call{method: "GetBooking", header: i.as(booking.RoleCustomer, "cara"), request: &bookingsv1.GetBookingRequest{Id: other}})
	if status := got.response.(*bookingsv1.GetBookingResponse).GetBooking().GetStatus(); status != bookingsv1.BookingStatus_BOOKING_STATUS_PENDING {
		t.Errorf("the booking that no path has named is %v", status)
	}
}

func TestPathsAndMediaTypesThatAreNotThere(t *testing.T) {
	t.Parallel()
	i := start(t)
	const plain = "application/json"
	const create = bookingService + "CreateBooking"
	for _, bad := range []struct {
		verb, path, media string
		http              int
	}{
		{"GET", "/v1/nothing", "", 404},
		{"GET", "/v1/", "", 404},
		{"GET", "/v2/bookings", "", 404},
		{"POST", "/v1/bookings/" + nobodys + ":explode", plain, 404},
		{"POST", "/v1/bookings/" + nobodys, plain, 405},
		{"DELETE", "/v1/bookings", plain, 405},
		{"PUT", "/v1/bookings/" + nobodys, plain, 405},
		{"PATCH", "/v1/bookings/" + nobodys + ":cancel", plain, 405},
		{"PATCH", "/v1/bookings", plain, 405},
		{"POST", "/v1/bookings:explode", plain, 405},
		{"POST", "/v1/bookings:cancel", "text/plain", 415},
		{"DELETE", "/v1/bookings:cancel", plain, 405},
		{"PATCH", "/v1/bookings/" + nobodys, "application/merge-patch+json", 415},
		{"POST", "/v1/bookings", "", 415},
		{"POST", "/v1/bookings", "text/plain", 415},
		{"POST", "/v1/bookings", "application/xml", 415},
		{"POST", "/v1/bookings", "application/x-www-form-urlencoded", 415},
		{"POST", "/v1/bookings", "application/json; charset=latin1", 415},
		{"POST", "/v1/bookings", "application/proto", 415},
		{"POST", "/v1/bookings", "application/connect+json", 415},
		{"POST", "/v1/bookings", "application/grpc", 415},
		{"POST", "/v1/bookings", ";;;", 415},
		{"POST", "/v1/bookings", "application/json; charset=utf-8", 200},
		{"POST", "/v1/bookings", "application/json; charset=UTF-8", 200},
		{"POST", "/v1/bookings", `Application/JSON;charset="utf-8"`, 200},
		{"POST", "/v1/bookings", "application/json;", 200},
		{"POST", bookingService + "Nothing", plain, 404},
		{"POST", "/bookings.v1.Nothing/CreateBooking", plain, 404},
		{"GET", create, "", 405},
		{"PUT", create, plain, 405},
		{"POST", create, "", 415},
		{"POST", create, "text/plain", 415},
		{"POST", create, "application/connect+json", 415},
		{"POST", create, "application/grpc+thrift", 415},
		{"POST", create, "application/json; charset=utf-8", 200},
		{"POST", "/health", plain, 404},
		{"GET", "/", "", 404},
		{"GET", "/metrics", "", 404},
		{"GET", "/debug/pprof/", "", 404},
	} {
		request := i.post(bad.path, bad.media, strings.NewReader(body()), i.as(booking.RoleCustomer, "cara"))
		if request.Method = bad.verb; bad.verb == http.MethodGet {
			request = i.get(bad.path, i.as(booking.RoleCustomer, "cara"))
		}
		response, text := i.exchange(request)
		name := fmt.Sprintf("%s %s %q", bad.verb, bad.path, bad.media)
		if response.StatusCode != bad.http {
			t.Errorf("%s: HTTP status %d, want %d: %s", name, response.StatusCode, bad.http, text)
		}
		if bad.http == http.StatusMethodNotAllowed && response.Header.Get("Allow") == "" {
			t.Errorf("%s: no Allow", name)
		}
		t.Logf("%s: %s %s", name, response.Header.Get("Content-Type"), text)
	}
}

func TestRESTBodiesOfChangesAreReadStrictly(t *testing.T) {
	t.Parallel()
	i := start(t)
	own := i.book("cara", 0)
	for body, want := range map[string]string{
		`{"reson":"a"}`:              invalid + "reson",
		`{"reason":5}`:               invalid + "reason",
		`{"reason":"\u0000"}`:        invalid + "reason",
		`{"etag":"1"}`:               invalid + "etag",
		`{"reason":"a","reason":""}`: invalid + "body",
		`[]`:                         invalid + "body",
		`{}{}`:                       invalid + "body",
		` `:                          invalid + "body",
		`null`:                       invalid + "body",
	} {
		request := i.post("/v1/bookings/"+own+":cancel", "application/json", strings.NewReader(body), i.as(booking.RoleCustomer, "cara"))
		checkVerdict(t, body, i.rest(request, "CancelBooking"), want)
	}
}

func TestARefusedPathHasNoHeadersOfALibrary(t *testing.T) {
	t.Parallel()
	i := start(t)
	for path, want := range map[string]int{"/v1/bookings/x/:y": 404, "/v1//bookings": 404, "/v1/nothing": 404, "/v1/bookings/x:cancel": 405} {
		response, text := i.exchange(i.get(path, i.as(booking.RoleCustomer, "cara")))
		if response.StatusCode != want || response.Header.Get("Location") != "" || response.Header.Get("X-Content-Type-Options") != "" {
			t.Errorf("%s: %s %v %s", path, response.Status, response.Header, text)
		}
	}
}
