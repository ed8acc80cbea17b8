package bookings_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

func TestARefusedTokenIsReplacedOnceForAllCalls(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	good := token(t, booking.RoleProvider, "bob", time.Hour)
	var asked atomic.Int64
	c := client(t, bookings.Options{URL: s.url(), Token: func(context.Context) (bookings.Token, error) {
		if asked.Add(1) == 1 {
			return bookings.Token{Value: good + "x"}, nil
		}
		return bookings.Token{Value: good}, nil
	}})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if asked.Load() != 2 {
		t.Errorf("the source was asked %d times", asked.Load())
	}
}

func TestATokenThatIsRefusedAgainIsTold(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	good := token(t, booking.RoleProvider, "bob", time.Hour)
	var asked atomic.Int64
	for name, source := range map[string]bookings.TokenSource{
		"the same": bookings.StaticToken(good + "x"),
		"another": func(context.Context) (bookings.Token, error) {
			return bookings.Token{Value: good + "xyz"[:asked.Add(1)]}, nil
		},
	} {
		c := client(t, bookings.Options{URL: s.url(), Token: source})
		if _, err := c.ListBookings(t.Context(), &bookingsv1.ListBookingsRequest{}); bookings.Reason(err) != bookings.ReasonTokenInvalid {
			t.Errorf("%s: it ended with %v", name, err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("the source was asked %d times", asked.Load())
	}
}
