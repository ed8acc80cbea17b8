// Command follow prints what happens to a user's bookings, and goes on where it was when it
// is started again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	bookings "bookings/clients/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client, err := bookings.New(bookings.Options{URL: os.Getenv("URL"), Token: bookings.StaticToken(os.Getenv("TOKEN"))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer client.Close()
	feed := client.Feed(bookings.FeedOptions{Store: bookings.FileStore("feed.place")})
	for event, err := range feed.Events(ctx) {
		if reset, ok := errors.AsType[*bookings.ResetError](err); ok {
			fmt.Fprintln(os.Stdout, "events are missing: list your bookings here;", reset)
			continue
		}
		if err != nil { // credentials that are refused, or the file
			fmt.Fprintln(os.Stderr, err)
			return
		}
		fmt.Fprintln(os.Stdout, event.GetSequence(), event.GetType(), event.GetSubject())
	}
}
