package bookings_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/pgtest"
)

func Example() {
	ctx, url, alice, end := exampleServer()
	defer end()

	client, err := bookings.New(bookings.Options{URL: url, Token: bookings.StaticToken(alice)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	begin := time.Now().AddDate(0, 0, 1)
	request := &bookingsv1.CreateBookingRequest{
		ProviderId: "bob", StartTime: timestamppb.New(begin), EndTime: timestamppb.New(begin.Add(time.Hour)),
	}
	answer, err := client.CreateBooking(ctx, request) // safe, whatever happens on the way
	fmt.Println(answer.GetBooking().GetStatus(), err)

	_, err = client.CreateBooking(ctx, request) // another booking, not a retry
	fmt.Println(bookings.Reason(err))
	// Output:
	// BOOKING_STATUS_PENDING <nil>
	// SLOT_TAKEN
}

func ExampleFeed_Events() {
	ctx, url, alice, end := exampleServer()
	defer end()
	exampleBooking(ctx, url)

	client, err := bookings.New(bookings.Options{URL: url, Token: bookings.StaticToken(alice)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := client.Feed(bookings.FeedOptions{After: &bookings.Place{}}) // from the beginning
	for event, err := range feed.Events(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.GetSequence(), event.GetType())
		cancel() // this event is handled; the loop ends where it would wait for the next
	}
	// Output:
	// 1 booking.created
}

func ExampleResetError() {
	ctx, url, alice, end := exampleServer()
	defer end()
	exampleBooking(ctx, url)

	client, err := bookings.New(bookings.Options{URL: url, Token: bookings.StaticToken(alice)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := client.Feed(bookings.FeedOptions{After: &bookings.Place{Sequence: 41}}) // in a history that is gone
	for _, err := range feed.Events(ctx) {
		reset, ok := errors.AsType[*bookings.ResetError](err)
		if !ok {
			fmt.Println(err)
			return
		}
		list, err := client.ListBookings(ctx, &bookingsv1.ListBookingsRequest{})
		fmt.Println("listed", len(list.GetBookings()), err)
		fmt.Println("going on after", reset.Head.Sequence)
		cancel()
	}
	fmt.Println("next time after", feed.Place().Sequence)
	// Output:
	// listed 1 <nil>
	// going on after 1
	// next time after 1
}

// exampleServer is a server of its own for an example, with a token of alice.
func exampleServer() (ctx context.Context, url, alice string, end func()) {
	t := &exampleRun{ctx: context.Background()}
	s := start(t, pgtest.URL(t))
	return t.ctx, s.url(), token(t, booking.RoleCustomer, "alice", time.Hour), t.end
}

func exampleBooking(ctx context.Context, url string) {
	t := &exampleRun{ctx: ctx}
	defer t.end()
	book(t, service(t, url), 1)
}
