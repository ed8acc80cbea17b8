package bookings_test

import (
	"testing"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/pgtest"
)

func TestAClientNeedsAnAddressAndOneCaller(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]bookings.Options{
		"no address":      {},
		"no scheme":       {URL: "localhost:8080"},
		"a socket's":      {URL: "ws://localhost:8080"},
		"two who call it": {URL: "http://localhost:8080", Token: bookings.StaticToken("x"), InternalToken: "y"},
	} {
		if _, err := bookings.New(options); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestWhoSaysNothingOfThemselvesIsTold(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	c := client(t, bookings.Options{URL: s.url() + "/"})
	if _, err := c.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{}); bookings.Reason(err) != bookings.ReasonTokenMissing {
		t.Errorf("a call of nobody ended with %v", err)
	}
}
