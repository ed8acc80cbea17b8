// Command confirmer confirms what customers ask for, at once, for the providers who want
// that: it follows everything that happens, and calls back.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: INTERNAL_TOKEN=… confirmer URL PROVIDER…")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1], os.Args[2:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "confirmer:", err)
		os.Exit(1)
	}
}

// run keeps its place in a file: what happens while it is away, it confirms afterwards.
func run(ctx context.Context, url string, providers []string, out io.Writer) error {
	client, err := bookings.New(bookings.Options{URL: url, InternalToken: os.Getenv("INTERNAL_TOKEN")})
	if err != nil {
		return err
	}
	defer client.Close()
	feed := client.Feed(bookings.FeedOptions{Store: bookings.FileStore("confirmer.place")})
	for event, err := range feed.Events(ctx) {
		if reset, ok := errors.AsType[*bookings.ResetError](err); ok {
			fmt.Fprintln(out, "some may wait in vain:", reset)
			continue
		}
		if err != nil {
			return err
		}
		data := event.GetData().AsMap()
		waits := data["status"] == bookingsv1.BookingStatus_BOOKING_STATUS_PENDING.String()
		if provider, _ := data["providerId"].(string); !waits || !slices.Contains(providers, provider) {
			continue
		}
		if err := confirm(ctx, client, event.GetSubject(), data["version"], out); err != nil {
			return err
		}
	}
	return nil
}

// confirm says yes to the booking as the event told of it. The etag makes that sure, and
// the call safe to repeat. Where the booking has changed since, its next event tells.
func confirm(ctx context.Context, client *bookings.Client, id string, version any, out io.Writer) error {
	_, err := client.ConfirmBooking(ctx, &bookingsv1.ConfirmBookingRequest{Id: id, Etag: fmt.Sprintf(`W/"%v"`, version)})
	switch bookings.Reason(err) {
	case bookings.ReasonEtagMismatch, bookings.ReasonInvalidTransition, bookings.ReasonBookingNotFound:
		fmt.Fprintf(out, "passed over %s: %v\n", id, err)
		return nil
	}
	if err == nil {
		fmt.Fprintln(out, "confirmed", id)
	}
	return err
}
