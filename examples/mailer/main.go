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
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"connectrpc.com/connect"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
)

// mailer follows the feed of everything.
type mailer struct {
	client bookingsv1connect.EventServiceClient
	token  string
	file   string // keeps the place
	place  *place // nil: not begun yet
	stdout io.Writer
	stderr io.Writer
}

func main() {
	url := flag.String("url", "http://localhost:8080", "the server")
	file := flag.String("place", "mailer.place", "the file that keeps how far it has come")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	m := mailer{
		client: bookingsv1connect.NewEventServiceClient(newHTTPClient(), *url, connect.WithGRPC()),
		token:  os.Getenv("INTERNAL_TOKEN"), file: *file, stdout: os.Stdout, stderr: os.Stderr,
	}
	err := m.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mailer:", err)
		os.Exit(1)
	}
}

// newHTTPClient speaks HTTP/2, as gRPC does, and asks a server that is silent whether
// it is still there.
func newHTTPClient() *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	alive := &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return &http.Client{Transport: &http.Transport{Protocols: &protocols, HTTP2: alive}}
}

// run follows the feed until it is stopped or another try cannot help, and comes
// back after each cut: after a random time, up to a bound that doubles.
func (m *mailer) run(ctx context.Context) (err error) {
	if m.place, err = load(m.file); err != nil {
		return err
	}
	const shortest, longest = time.Second, 30 * time.Second
	for bound := shortest; ctx.Err() == nil; bound = min(2*bound, longest) {
		opened, err := m.follow(ctx)
		if opened {
			bound = shortest
		}
		if ctx.Err() == nil {
			if err = m.judge(err); err != nil {
				return err
			}
		}
		select {
		case <-time.After(rand.N(bound)):
		case <-ctx.Done():
		}
	}
	return nil
}

// judge returns the errors that another try cannot mend: all of our own, and what
// the server says of our credentials and request.
func (m *mailer) judge(err error) error {
	if _, remote := errors.AsType[*connect.Error](err); !remote {
		return err
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeInvalidArgument, connect.CodeUnimplemented:
		return err
	case connect.CodeOutOfRange:
		fmt.Fprintf(m.stderr, "mailer: MAIL MAY BE MISSING after %+v; going on with what comes from now on: %v\n", m.place, err)
		m.place = nil
	default:
		fmt.Fprintln(m.stderr, "mailer: cut off, coming back:", err)
	}
	return nil
}

// follow mails what one stream brings, and reports whether it was opened at all.
func (m *mailer) follow(ctx context.Context) (opened bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("X-Internal-Token", m.token)
	request := &bookingsv1.StreamEventsRequest{Types: types()}
	if m.place != nil {
		request.AfterSequence, request.AfterId = &m.place.Sequence, m.place.ID
	}
	stream, err := m.client.StreamEvents(ctx, request)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		opened = true
		if err := m.take(stream.Msg()); err != nil {
			return opened, err
		}
	}
	return opened, stream.Err()
}

// take handles one message: first the mail, then the place. Killed in between, it
// mails twice; the other way round it would mail never.
func (m *mailer) take(message *bookingsv1.StreamEventsResponse) error {
	switch {
	case message.GetEvent() != nil:
		event := message.GetEvent()
		if _, err := io.WriteString(m.stdout, letters(event)); err != nil {
			return err
		}
		return m.keep(place{event.GetSequence(), event.GetId()})
	case message.GetCheckpoint() != nil:
		return m.keep(place{message.GetCheckpoint().GetSequence(), message.GetCheckpoint().GetId()})
	case message.GetReady() != nil && m.place == nil: // begun: with what comes from now on
		return m.keep(place{message.GetReady().GetHead(), message.GetReady().GetHeadId()})
	}
	return nil
}

func (m *mailer) keep(p place) error {
	m.place = &p
	return p.save(m.file)
}
