package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/pause"
)

// firstPause and longestPause bound the time between two tries to connect.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// listener prints a feed, a line for each event. Its place is in the request: cut
// off, it asks for what comes after the last that it was told of.
type listener struct {
	program

	client  bookingsv1connect.EventServiceClient
	headers map[string]string
	request bookingsv1.StreamEventsRequest
}

// listen prints a feed as it grows, until it is stopped or cannot go on.
func (p program) listen(ctx context.Context, args []string) error {
	l := &listener{program: p}
	var address, token, internal string
	var all bool
	_, err := p.flags("listen", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&address, "url", "http://localhost:8080", "the server")
		f.StringVar(&token, "token", "", "whose feed")
		f.BoolVar(&all, "all", false, "the feed of everything, for internal services")
		f.StringVar(&internal, "internal-token", "", "with --all: who asks; better given as INTERNAL_TOKEN, which no list of processes shows")
		f.Func("type", "only events of this type, such as booking.reminder.due; may be given again, or list them by comma", l.addTypes)
		f.Func("after", "resume after this sequence; unset: new events only", l.setAfter)
		f.StringVar(&l.request.AfterId, "after-id", "", "the id of the entry with that sequence: proves that its history is still the feed's")
	})
	if err != nil {
		return err
	}
	if internal == "" {
		internal, _, _ = strings.Cut(p.variable("INTERNAL_TOKEN"), ",")
	}
	switch {
	case all && token != "", !all && token == "":
		return fmt.Errorf("%w: bookings listen --token TOKEN, or --all with an internal token", errUsage)
	case all && internal == "":
		return fmt.Errorf("%w: --all needs INTERNAL_TOKEN, or --internal-token", errUsage)
	case all:
		l.headers = map[string]string{"X-Internal-Token": internal}
	default:
		l.headers = map[string]string{"Authorization": "Bearer " + token}
	}
	if address, err = httpURL(address); err != nil {
		return err
	}
	client := newGRPCClient()
	defer client.CloseIdleConnections()
	l.client = bookingsv1connect.NewEventServiceClient(client, address, connect.WithGRPC())
	return l.run(ctx)
}

func (l *listener) addTypes(list string) error {
	l.request.Types = append(l.request.Types, strings.Split(list, ",")...)
	return nil
}

func (l *listener) setAfter(number string) error {
	after, err := strconv.ParseInt(number, 10, 64)
	l.request.AfterSequence = &after
	return err
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

// run follows the feed and comes back whenever it is cut off. Only what another
// try cannot mend ends it.
func (l *listener) run(ctx context.Context) error {
	for try := 0; ctx.Err() == nil; try++ {
		opened, err := l.follow(ctx)
		if opened {
			try = 0
		}
		if ctx.Err() == nil && isFinal(err) {
			return l.explain(err)
		}
		l.rest(ctx, try, err)
	}
	fmt.Fprintf(l.stderr, "bookings listen: stopped%s\n", l.goOn())
	return nil
}

// rest waits before another try, unless it was stopped.
func (l *listener) rest(ctx context.Context, try int, why error) {
	if ctx.Err() != nil {
		return
	}
	wait := backoff(try)
	fmt.Fprintf(l.stderr, "bookings listen: cut off: %v; again in %v\n", why, wait.Round(time.Millisecond))
	pause.For(ctx, wait)
}

// backoff is how long to wait before a try: any time up to a bound that doubles,
// so that those who were cut off together do not come back together.
func backoff(try int) time.Duration {
	return rand.N(min(firstPause<<min(try, 10), longestPause))
}

// follow prints what one stream brings, and reports whether it was opened at all.
func (l *listener) follow(ctx context.Context) (opened bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, call := connect.NewClientContext(ctx)
	for name, value := range l.headers {
		call.RequestHeader().Set(name, value)
	}
	stream, err := l.client.StreamEvents(ctx, &l.request)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		opened = true
		if err := l.take(stream.Msg()); err != nil {
			return opened, err
		}
	}
	if err := stream.Err(); err != nil {
		return opened, err
	}
	return opened, io.EOF
}

// take prints an event, and keeps the place that a message tells.
func (l *listener) take(message *bookingsv1.StreamEventsResponse) error {
	switch {
	case message.GetReady() != nil:
		ready := message.GetReady()
		fmt.Fprintf(l.stderr, "bookings listen: connected, the feed's head is %d\n", ready.GetHead())
		if l.request.AfterSequence == nil {
			l.keep(ready.GetHead(), ready.GetHeadId())
		}
	case message.GetCheckpoint() != nil:
		l.keep(message.GetCheckpoint().GetSequence(), message.GetCheckpoint().GetId())
	case message.GetEvent() != nil:
		if err := l.print(message.GetEvent()); err != nil {
			return err
		}
		l.keep(message.GetEvent().GetSequence(), message.GetEvent().GetId())
	}
	return nil
}

func (l *listener) keep(sequence int64, id string) {
	l.request.AfterSequence, l.request.AfterId = &sequence, id
}

// print writes an event as one line of JSON.
func (l *listener) print(event *bookingsv1.Event) error {
	text, err := protojson.Marshal(event)
	if err != nil {
		return fmt.Errorf("show an event: %w", err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil { // protojson's spaces differ from build to build
		return fmt.Errorf("show an event: %w", err)
	}
	line.WriteByte('\n')
	if _, err := l.stdout.Write(line.Bytes()); err != nil {
		return fmt.Errorf("%w: %w", errUnwritten, err)
	}
	return nil
}

// errUnwritten is an event that nobody takes from us.
var errUnwritten = errors.New("cannot print an event")

// isFinal tells whether another try would end in the same way.
func isFinal(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeOutOfRange, connect.CodeUnauthenticated, connect.CodePermissionDenied,
		connect.CodeInvalidArgument, connect.CodeUnimplemented, connect.CodeNotFound:
		return true
	default:
		return errors.Is(err, errUnwritten)
	}
}

// explain says why it cannot go on, and how its user may. To go on by itself where
// the history is gone would pass over events in silence.
func (l *listener) explain(err error) error {
	if connect.CodeOf(err) == connect.CodeOutOfRange {
		return fmt.Errorf("what came after entry %d is pruned, or the feed's history has changed: %w\n"+
			"Events may be missing: list the bookings. Without --after, listen goes on after the head", l.request.GetAfterSequence(), err)
	}
	return fmt.Errorf("the stream ended: %w%s", err, l.goOn())
}

// goOn are the flags that resume here.
func (l *listener) goOn() string {
	if l.request.AfterSequence == nil {
		return ""
	}
	flags := fmt.Sprintf("; go on with --after %d", l.request.GetAfterSequence())
	if id := l.request.GetAfterId(); id != "" {
		flags += " --after-id " + id
	}
	return flags
}
