// Command mailer shows how a service follows all events: it prints the e-mails
// that it would send. Each is printed at least once, in order, whatever is killed or
// cut in between.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	bookings "bookings/clients/go"
)

func main() {
	url := flag.String("url", "http://localhost:8080", "the server")
	file := flag.String("place", "mailer.place", "the file that keeps how far it has come")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *url, bookings.FileStore(*file), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mailer:", err)
		os.Exit(1)
	}
}

// run mails what happens until it is stopped, or another try cannot help. The place is
// kept when the loop asks for the next event: killed before, it mails that one twice.
func run(ctx context.Context, url string, place bookings.Store, stdout, stderr io.Writer) error {
	client, err := bookings.New(bookings.Options{URL: url, InternalToken: os.Getenv("INTERNAL_TOKEN")})
	if err != nil {
		return err
	}
	defer client.Close()
	feed := client.Feed(bookings.FeedOptions{Types: types(), Store: place, OnCut: func(err error, wait time.Duration) {
		fmt.Fprintf(stderr, "mailer: cut off, coming back in %v: %v\n", wait, err)
	}})
	for event, err := range feed.Events(ctx) {
		if reset, ok := errors.AsType[*bookings.ResetError](err); ok {
			fmt.Fprintln(stderr, "mailer: MAIL MAY BE MISSING; going on with what comes from now on:", reset)
			continue
		}
		if err != nil {
			return err
		}
		if _, err := io.WriteString(stdout, letters(event)); err != nil {
			return err
		}
	}
	return nil
}
