package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"connectrpc.com/connect"
	"github.com/coder/websocket"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/pause"
)

// errOtherHistory is what a follower ends with that has been told of one, through
// whichever door.
var errOtherHistory = errors.New("told that the history is another")

// opened is what a follower reads from: it waits for the next entry, or place.
type opened func() (feed.Point, error)

// follower reads one feed as a client does that keeps its place.
type follower struct {
	name string
	open func(ctx context.Context, i *instance, after feed.Point) (opened, error)

	mu   sync.Mutex
	last feed.Point
	err  error
}

// newFollowers are one of each kind.
func newFollowers() []*follower {
	paul := &bookingsv1.StreamEventsRequest{Role: bookingsv1.Role_ROLE_PROVIDER, UserId: "paul"}
	return []*follower{
		{name: "a provider's socket", open: socketOf(booking.RoleProvider, "paul")},
		{name: "a customer's socket", open: socketOf(booking.RoleCustomer, "cara")},
		{name: "a user's stream", open: streamOf(paul)},
		{name: "a stream of all", open: streamOf(&bookingsv1.StreamEventsRequest{})},
		{name: "a stream of none that come", open: streamOf(&bookingsv1.StreamEventsRequest{Types: []string{"booking.no_show"}})},
		{name: "a list of all", open: listOfAll},
	}
}

// run reads until it is told that it cannot go on, or the context ends.
func (f *follower) run(ctx context.Context, i *instance, after feed.Point) {
	next, err := f.open(ctx, i, after)
	for err == nil {
		var point feed.Point
		if point, err = next(); err == nil {
			f.mu.Lock()
			f.last = point
			f.mu.Unlock()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *follower) state() (feed.Point, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last, f.err
}

func socketOf(role booking.Role, user string) func(context.Context, *instance, feed.Point) (opened, error) {
	return func(ctx context.Context, i *instance, after feed.Point) (opened, error) {
		query := url.Values{"after": {strconv.FormatInt(after.Sequence, 10)}, "after_id": {after.ID}}
		options := &websocket.DialOptions{HTTPHeader: i.as(role, user), HTTPClient: &http.Client{Transport: i.http1}}
		conn, _, err := websocket.Dial(ctx, i.url()+"/ws?"+query.Encode(), options)
		if err != nil {
			return nil, fmt.Errorf("dial: %w", err)
		}
		context.AfterFunc(ctx, func() { _ = conn.CloseNow() })
		return func() (feed.Point, error) { return readFrame(ctx, conn, after) }, nil
	}
}

// readFrame reads the next one; stream.ready is the place where it began.
func readFrame(ctx context.Context, conn *websocket.Conn, after feed.Point) (feed.Point, error) {
	_, message, err := conn.Read(ctx)
	if websocket.CloseStatus(err) == 4410 {
		return feed.Point{}, errOtherHistory
	}
	var frame struct {
		ID, Type, Sequence string
		Data               struct{ Resumed bool }
	}
	if err == nil {
		err = json.Unmarshal(message, &frame)
	}
	switch {
	case err != nil:
		return feed.Point{}, err
	case frame.Type != "stream.ready":
		sequence, err := strconv.ParseInt(frame.Sequence, 10, 64)
		return feed.Point{Sequence: sequence, ID: frame.ID}, err
	case !frame.Data.Resumed:
		return feed.Point{}, errOtherHistory
	}
	return after, nil
}

func streamOf(request *bookingsv1.StreamEventsRequest) func(context.Context, *instance, feed.Point) (opened, error) {
	return func(ctx context.Context, i *instance, after feed.Point) (opened, error) {
		r := &bookingsv1.StreamEventsRequest{
			Role: request.GetRole(), UserId: request.GetUserId(), Types: request.GetTypes(),
			AfterSequence: &after.Sequence, AfterId: after.ID,
		}
		stream, err := i.events().StreamEvents(internally(ctx), r)
		if err != nil {
			return nil, told(err)
		}
		return func() (feed.Point, error) { return readMessage(stream, after) }, nil
	}
}

func readMessage(stream *connect.ServerStreamForClient[bookingsv1.StreamEventsResponse], after feed.Point) (feed.Point, error) {
	if !stream.Receive() {
		return feed.Point{}, told(stream.Err())
	}
	if event := stream.Msg().GetEvent(); event != nil {
		return feed.Point{Sequence: event.GetSequence(), ID: event.GetId()}, nil
	}
	if checkpoint := stream.Msg().GetCheckpoint(); checkpoint != nil {
		return feed.Point{Sequence: checkpoint.GetSequence(), ID: checkpoint.GetId()}, nil
	}
	return after, nil
}

// listOfAll asks again and again.
func listOfAll(ctx context.Context, i *instance, after feed.Point) (opened, error) {
	return func() (feed.Point, error) {
		page, err := i.events().ListEvents(internally(ctx), &bookingsv1.ListEventsRequest{AfterSequence: &after.Sequence, AfterId: after.ID})
		switch {
		case connect.CodeOf(err) == connect.CodeUnavailable: // while there is no database
		case err != nil:
			return after, told(err)
		default:
			after = feed.Point{Sequence: page.GetThroughSequence(), ID: page.GetThroughId()}
		}
		pause.For(ctx, briefly)
		return after, ctx.Err()
	}, nil
}

// told says so where an RPC's error tells of another history, with the head to go
// on after.
func told(err error) error {
	info := infoOf(err)
	if connect.CodeOf(err) == connect.CodeOutOfRange && info.GetReason() == string(booking.ReasonSequenceOutOfRange) &&
		info.GetMetadata()["head"] != "" {
		return errOtherHistory
	}
	return err
}

func (i *instance) events() bookingsv1connect.EventServiceClient {
	return bookingsv1connect.NewEventServiceClient(&http.Client{Transport: i.http2}, i.url(), connect.WithGRPC())
}

func internally(ctx context.Context) context.Context {
	ctx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("X-Internal-Token", testInternal)
	return ctx
}
