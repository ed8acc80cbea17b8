package app

import (
	"bytes"
	"net/http"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

func TestIfMatchIsTheEtagOfREST(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, c := range []struct {
		name, field string
		header      []string
		want        string
	}{
		{"right", "", []string{`W/"1"`}, fine},
		{"any", "", []string{"*"}, fine},
		{"any, and right", `W/"1"`, []string{"*"}, fine},
		{"both", `W/"1"`, []string{`W/"1"`}, fine},
		{"another version", "", []string{`W/"7"`}, "ABORTED ETAG_MISMATCH"},
		{"both, and different", `W/"1"`, []string{`W/"2"`}, invalid + "etag"},
		{"two headers", "", []string{`W/"1"`, `W/"2"`}, invalid + "etag"},
		{"a list", "", []string{`W/"1", W/"2"`}, invalid + "etag"},
		{"no etag", "", []string{"1"}, invalid + "etag"},
		{"no UTF-8", "", []string{"\xff"}, invalid + "etag"},
		{"empty", "", []string{""}, invalid + "etag"},
	} {
		id := i.book("cara", 0)
		header := i.as(booking.RoleCustomer, "cara")
		header["If-Match"] = c.header
		body := mustJSON(t, &bookingsv1.CancelBookingRequest{Etag: c.field})
		got := i.rest(i.post("/v1/bookings/"+id+":cancel", "application/json", bytes.NewReader(body), header), "CancelBooking")
		checkVerdict(t, c.name, got, c.want)
		cancel := call{method: "CancelBooking", request: &bookingsv1.CancelBookingRequest{Id: id}, header: i.as(booking.RoleCustomer, "cara")}
		checkVerdict(t, "then", curl(i, cancel), fine)
	}
}

func TestIfMatchIsNotOursElsewhere(t *testing.T) {
	t.Parallel()
	i := start(t)
	for _, door := range doors {
		if door.name == "REST" {
			continue
		}
		header := i.as(booking.RoleCustomer, "cara")
		header["If-Match"] = []string{`W/"7"`}
		c := call{method: "CancelBooking", request: &bookingsv1.CancelBookingRequest{Id: i.book("cara", 0)}, header: header}
		checkVerdict(t, door.name, door.call(i, c), fine)
	}
	header := i.as(booking.RoleCustomer, "cara")
	header["If-Match"] = []string{`W/"7"`}
	if got := i.rest(i.get("/v1/bookings", header), "ListBookings"); got.http != http.StatusOK {
		t.Errorf("a list: %v", got)
	}
}
