package app

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bookings/internal/booking"
)

// Whoever asks must not learn that a booking of somebody else is there.
func TestForeignBookingsLookLikeNone(t *testing.T) {
	t.Parallel()
	i := start(t)
	foreign := i.book("cara", 0)
	times := fmt.Sprintf(`"startTime":%q,"endTime":%q`, timeText(4), timeText(5))
	for _, who := range []http.Header{i.as(booking.RoleCustomer, "eve"), i.as(booking.RoleProvider, "eve"), i.as(booking.RoleProvider, "cara"), i.as(booking.RoleCustomer, "paul")} {
		for method, fields := range map[string]string{
			"GetBooking": ``, "ListBookingEvents": ``, "ConfirmBooking": ``, "UpdateBooking": `,"note":"a"`, "CancelBooking": `,"reason":"a"`,
			"CompleteBooking": `,"etag":"W/\"1\""`, "MarkBookingNoShow": ``, "RescheduleBooking": "," + times,
		} {
			if !bytes.Equal(i.told(method, foreign, fields, who), i.told(method, nobodys, fields, who)) {
				t.Errorf("%s tells a foreign booking from none", method)
			}
		}
	}
}

// told is all that is told by Connect, REST and gRPC, but for the time and the
// request's id, which are taken out.
func (i *instance) told(method, id, fields string, who http.Header) []byte {
	i.t.Helper()
	var all bytes.Buffer
	body := `{"id":"` + id + `"` + fields + `}`
	requests := []*http.Request{
		i.post(methods[method].procedure, "application/json", strings.NewReader(body), who),
		i.post(methods[method].procedure, "application/grpc-web+json", strings.NewReader(framed(0, len(body), body)), who),
		i.post(strings.ReplaceAll(methods[method].path, "{id}", id), "application/json", strings.NewReader(`{`+strings.TrimPrefix(fields, ",")+`}`), who),
	}
	if methods[method].read() {
		requests[2] = i.get(strings.ReplaceAll(methods[method].path, "{id}", id), who)
	}
	requests[2].Method = methods[method].verb
	for _, request := range requests {
		response, body := i.exchange(request)
		if response.StatusCode == http.StatusOK && response.Header.Get("Grpc-Status") == "0" {
			i.t.Errorf("%s %s has answered", method, id)
		}
		response.Header.Del("Date")
		response.Header.Del("X-Request-Id")
		fmt.Fprintln(&all, response.Status, response.Header, string(body))
	}
	return all.Bytes()
}
