package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

// listInterval is how often a list is asked for what is new.
const listInterval = 50 * time.Millisecond

func (r *reader) followSocket(ctx context.Context, s *server) error {
	at := r.at()
	query := url.Values{"after": {strconv.FormatInt(at.sequence, 10)}, "after_id": {at.id}}
	conn, _, err := websocket.Dial(ctx, fmt.Sprintf("ws://%s/ws?%s", s.addr, query.Encode()), &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + r.world.token(r.feed.role, r.feed.user)}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	for err == nil {
		var message []byte
		if _, message, err = conn.Read(ctx); err == nil {
			err = r.takeFrame(message)
		}
	}
	return err
}

func (r *reader) takeFrame(message []byte) error {
	var frame struct {
		ID, Type, Sequence string
		Time               time.Time
		Data               struct{ Resumed bool }
	}
	if err := json.Unmarshal(message, &frame); err != nil {
		return err
	}
	if frame.Type == "stream.ready" && !frame.Data.Resumed {
		r.t.Errorf("a socket of %s was not resumed: %s", r.feed, message)
	}
	if frame.Sequence == "" {
		return nil
	}
	sequence, err := strconv.ParseInt(frame.Sequence, 10, 64)
	if err == nil {
		r.note(entry{sequence: sequence, id: frame.ID, kind: frame.Type}, frame.Time)
	}
	return err
}

func (r *reader) followStream(ctx context.Context, s *server) error {
	client, hangUp := eventsOf(s)
	defer hangUp()
	at := r.at()
	stream, err := client.StreamEvents(internally(ctx), &bookingsv1.StreamEventsRequest{
		Role: protoRole(r.feed.role), UserId: r.feed.user, Types: r.types,
		AfterSequence: &at.sequence, AfterId: at.id,
	})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		if event := stream.Msg().GetEvent(); event != nil {
			r.noteEvent(event)
		}
		if checkpoint := stream.Msg().GetCheckpoint(); checkpoint != nil {
			r.move(checkpoint.GetSequence(), checkpoint.GetId())
		}
	}
	return stream.Err()
}

// followList asks for what is new, over and over.
func (r *reader) followList(ctx context.Context, s *server) error {
	client, hangUp := eventsOf(s)
	defer hangUp()
	for {
		at := r.at()
		page, err := client.ListEvents(internally(ctx), &bookingsv1.ListEventsRequest{
			Role: protoRole(r.feed.role), UserId: r.feed.user, Types: r.types, PageSize: 20,
			AfterSequence: &at.sequence, AfterId: at.id,
		})
		if err != nil {
			return err
		}
		for _, event := range page.GetEvents() {
			r.noteEvent(event)
		}
		r.move(page.GetThroughSequence(), page.GetThroughId())
		if page.GetThroughSequence() == page.GetHead() && !pause.For(ctx, listInterval) {
			return ctx.Err()
		}
	}
}

func (r *reader) noteEvent(event *bookingsv1.Event) {
	r.note(entry{sequence: event.GetSequence(), id: event.GetId(), kind: event.GetType()}, event.GetTime().AsTime())
}

func eventsOf(s *server) (client bookingsv1connect.EventServiceClient, hangUp func()) {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	client = bookingsv1connect.NewEventServiceClient(&http.Client{Transport: transport}, "http://"+s.addr, connect.WithGRPC())
	return client, transport.CloseIdleConnections
}

func internally(ctx context.Context) context.Context {
	ctx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("X-Internal-Token", internalToken)
	return ctx
}

// protoRole is none for the feed of everything.
func protoRole(role booking.Role) bookingsv1.Role {
	switch role {
	case booking.RoleCustomer:
		return bookingsv1.Role_ROLE_CUSTOMER
	case booking.RoleProvider:
		return bookingsv1.Role_ROLE_PROVIDER
	default:
		return bookingsv1.Role_ROLE_UNSPECIFIED
	}
}
