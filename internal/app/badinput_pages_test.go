package app

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

const tokenOfAnother = "INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token"

// paged is a list with a page token of it.
type paged struct {
	method  string
	request func(token string) proto.Message
	token   string
}

// lists are both lists of paul's that have pages.
func (i *instance) lists(paul http.Header) []paged {
	i.t.Helper()
	id := i.book("cara", 0)
	i.book("cara", 1)
	curl(i, call{method: "ConfirmBooking", request: &bookingsv1.ConfirmBookingRequest{Id: id}, header: paul})
	all := []paged{
		{method: "ListBookings", request: func(token string) proto.Message {
			return &bookingsv1.ListBookingsRequest{CustomerId: "cara", PageSize: 1, PageToken: token}
		}},
		{method: "ListBookingEvents", request: func(token string) proto.Message {
			return &bookingsv1.ListBookingEventsRequest{Id: id, PageSize: 1, PageToken: token}
		}},
	}
	for n, list := range all {
		first := curl(i, call{method: list.method, request: list.request(""), header: paul})
		all[n].token = first.response.(interface{ GetNextPageToken() string }).GetNextPageToken()
	}
	return all
}

func TestPageTokensOfOtherListsAreRefused(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul, cara := i.as(booking.RoleProvider, "paul"), i.as(booking.RoleCustomer, "cara")
	lists := i.lists(paul)
	calls := []bad{
		{"of this list", call{method: "ListBookings", request: lists[0].request(lists[0].token), header: paul}, fine},
		{"of this history", call{method: "ListBookingEvents", request: lists[1].request(lists[1].token), header: paul}, fine},
		{"of another list", call{method: "ListBookings", request: lists[0].request(lists[1].token), header: paul}, tokenOfAnother},
		{"of another history", call{method: "ListBookingEvents", request: lists[1].request(lists[0].token), header: paul}, tokenOfAnother},
		{"of another caller", call{method: "ListBookings", request: lists[0].request(lists[0].token), header: cara}, tokenOfAnother},
		{"of another caller's history", call{method: "ListBookingEvents", request: lists[1].request(lists[1].token), header: cara}, tokenOfAnother},
		{"of another page size", call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{CustomerId: "cara", PageSize: 7, PageToken: lists[0].token}, header: paul}, fine},
		{"of another order", call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{CustomerId: "cara", OrderBy: "start_time desc", PageToken: lists[0].token}, header: paul}, tokenOfAnother},
		{"of another filter", call{method: "ListBookings", request: &bookingsv1.ListBookingsRequest{PageToken: lists[0].token}, header: paul}, tokenOfAnother},
	}
	i.check(calls, anyDoor)
}

// A token carries no authority, so it need not be signed; but whatever is in
// it, it is answered by a page or refused.
func TestPageTokensThatWereTamperedWith(t *testing.T) {
	t.Parallel()
	i := start(t)
	paul := i.as(booking.RoleProvider, "paul")
	for _, list := range i.lists(paul) {
		for _, token := range tampered(t, list.token) {
			for _, send := range []func(*instance, call) answer{curl, rest} {
				got := send(i, call{method: list.method, request: list.request(token), header: paul})
				if verdict := got.verdict(); verdict != fine && verdict != tokenOfAnother {
					t.Errorf("%s %s: %v", list.method, token, got)
				}
				got.checkTold(t)
			}
		}
	}
}

// tampered are tokens whose position somebody has made up, and some that are
// cut or bent.
func tampered(t *testing.T, token string) []string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	prefix, _, found := strings.Cut(string(text), `"p":`)
	if !found {
		t.Fatalf("no position in %s", text)
	}
	all := []string{token + "A", token[1:], token[:len(token)-1], token + "==", strings.ToUpper(token), "A" + token}
	for _, position := range []string{
		`null`, `-1`, `0`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `"a"`, `[]`, `{}`,
		`{"s":null}`, `{"s":"0000-01-01T00:00:00Z"}`, `{"s":"0001-01-01T00:00:00+23:59"}`, `{"s":"9999-12-31T23:59:59.999999999-23:59"}`,
		`{"s":"2026-01-01T00:00:00Z","i":"x"}`, `{"s":"2026-01-01T00:00:00Z","i":"` + nobodys + `"}`, `{"s":"2026-01-01T00:00:00Z","i":null}`,
	} {
		all = append(all, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `%s"p":%s}`, prefix, position)))
	}
	return all
}
