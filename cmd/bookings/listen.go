package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
)

// listener prints a feed, a line for each event.
type listener struct {
	program

	feed  *bookings.Feed
	types []string
	after *bookings.Place
}

// listen prints a feed as it grows, until it is stopped or cannot go on.
func (p program) listen(ctx context.Context, args []string) error {
	l := &listener{program: p}
	var address, token, internal, id string
	var all bool
	_, err := p.flags("listen", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&address, "url", "http://localhost:8080", "the server")
		f.StringVar(&token, "token", "", "whose feed")
		f.BoolVar(&all, "all", false, "the feed of everything, for internal services")
		f.StringVar(&internal, "internal-token", "", "with --all: who asks; better given as INTERNAL_TOKEN, which no list of processes shows")
		f.Func("type", "only events of this type, such as booking.reminder.due; may be given again, or list them by comma", l.addTypes)
		f.Func("after", "resume after this sequence; unset: new events only", l.setAfter)
		f.StringVar(&id, "after-id", "", "the id of the entry with that sequence: proves that its history is still the feed's")
	})
	if err != nil {
		return err
	}
	if internal == "" {
		internal, _, _ = strings.Cut(p.variable("INTERNAL_TOKEN"), ",")
	}
	options := bookings.Options{}
	switch {
	case all && token != "", !all && token == "":
		return fmt.Errorf("%w: bookings listen --token TOKEN, or --all with an internal token", errUsage)
	case all && internal == "":
		return fmt.Errorf("%w: --all needs INTERNAL_TOKEN, or --internal-token", errUsage)
	case all:
		options.InternalToken = internal
	default:
		options.Token = bookings.StaticToken(token)
	}
	if options.URL, err = httpURL(address); err != nil {
		return err
	}
	if err := l.setAfterID(id); err != nil {
		return err
	}
	client, err := bookings.New(options)
	if err != nil {
		return err
	}
	defer client.Close()
	l.feed = client.Feed(bookings.FeedOptions{Types: l.types, After: l.after, OnConnected: l.connected, OnCut: l.cut})
	return l.run(ctx)
}

func (l *listener) addTypes(list string) error {
	l.types = append(l.types, strings.Split(list, ",")...)
	return nil
}

func (l *listener) setAfter(number string) error {
	after, err := strconv.ParseInt(number, 10, 64)
	l.after = &bookings.Place{Sequence: after}
	return err
}

func (l *listener) setAfterID(id string) error {
	switch {
	case id == "":
		return nil
	case l.after == nil:
		return errors.New("--after-id is the after_id of an entry: name its number by --after")
	default:
		l.after.ID = id
		return nil
	}
}

// httpURL takes the address of a socket, too: listen used to read one. Another try
// would not mend one that is no address.
func httpURL(address string) (string, error) {
	if rest, ok := strings.CutPrefix(address, "ws"); ok {
		address = "http" + rest
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return "", fmt.Errorf("%w: --url: %q is no address such as http://localhost:8080", errUsage, address)
	}
	return address, nil
}

// run follows the feed until it is stopped or cannot go on.
func (l *listener) run(ctx context.Context) error {
	for event, err := range l.feed.Events(ctx) {
		if err != nil {
			return l.explain(err)
		}
		if err := l.print(event); err != nil {
			return fmt.Errorf("%w%s", err, l.goOn())
		}
	}
	fmt.Fprintf(l.stderr, "bookings listen: stopped%s\n", l.goOn())
	return nil
}

func (l *listener) connected(head int64) {
	fmt.Fprintf(l.stderr, "bookings listen: connected, the feed's head is %d\n", head)
}

func (l *listener) cut(err error, wait time.Duration) {
	fmt.Fprintf(l.stderr, "bookings listen: cut off: %v; again in %v\n", err, wait.Round(time.Millisecond))
}

// print writes an event as one line: to a terminal for a person, else as JSON.
func (l *listener) print(event *bookingsv1.Event) error {
	if l.terminal {
		return l.write([]byte(eventLine(event, time.Local))) //nolint:gosmopolitan // the reader's own
	}
	text, err := protojson.Marshal(event)
	if err != nil {
		return fmt.Errorf("show an event: %w", err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil { // protojson's spaces differ from build to build
		return fmt.Errorf("show an event: %w", err)
	}
	line.WriteByte('\n')
	return l.write(line.Bytes())
}

func (l *listener) write(line []byte) error {
	if _, err := l.stdout.Write(line); err != nil {
		return fmt.Errorf("cannot print an event: %w", err)
	}
	return nil
}

// explain says why it cannot go on, and how its user may. To go on by itself where
// the history is gone would pass over events in silence.
func (l *listener) explain(err error) error {
	if reset, ok := errors.AsType[*bookings.ResetError](err); ok {
		return fmt.Errorf("what came after entry %d is pruned, or the feed's history has changed: %w\n"+
			"Events may be missing: list the bookings. Without --after, listen goes on after the head", reset.Lost.Sequence, reset.Err)
	}
	return fmt.Errorf("the stream ended: %w%s", err, l.goOn())
}

// goOn are the flags that resume here.
func (l *listener) goOn() string {
	place := l.feed.Place()
	if place == nil {
		return ""
	}
	flags := fmt.Sprintf("; go on with --after %d", place.Sequence)
	if place.ID != "" {
		flags += " --after-id " + place.ID
	}
	return flags
}
