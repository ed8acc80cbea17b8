package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

type feedName struct {
	role booking.Role
	user string
}

func (f feedName) String() string { return string(f.role) + "/" + f.user }

// reader follows one feed and records what it is sent. When it is cut off it
// comes back to the other server, after the last entry that it has.
type reader struct {
	t     *testing.T
	world *world
	feed  feedName
	kind  string
	// follow reads until the connection ends.
	follow func(ctx context.Context, s *server) error

	mu      sync.Mutex
	record  []entry
	longest time.Duration
	drop    context.CancelFunc
	returns atomic.Int64
}

// startReaders gives every user a socket and a stream.
func startReaders(t *testing.T, w *world) []*reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	var readers []*reader
	for i, feed := range everybody() {
		socket := &reader{t: t, world: w, feed: feed, kind: "socket"}
		socket.follow = socket.followSocket
		stream := &reader{t: t, world: w, feed: feed, kind: "stream"}
		stream.follow = stream.followStream
		for j, r := range []*reader{socket, stream} {
			readers = append(readers, r)
			all.Go(func() { r.run(ctx, i+j) })
		}
	}
	return readers
}

func (r *reader) run(ctx context.Context, first int) {
	for turn := first; ctx.Err() == nil; turn++ {
		connection, drop := context.WithCancel(ctx)
		r.mu.Lock()
		r.drop = drop
		r.mu.Unlock()
		_ = r.follow(connection, r.world.servers[turn%2])
		drop()
		r.returns.Add(1)
		pause.For(ctx, 20*time.Millisecond)
	}
}

func (r *reader) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drop != nil {
		r.drop()
	}
}

func (r *reader) last() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.record) == 0 {
		return 0
	}
	return r.record[len(r.record)-1].sequence
}

func (r *reader) note(e entry, happened time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record = append(r.record, e)
	r.longest = max(r.longest, time.Since(happened))
}

func (r *reader) seen() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record
}

// settle waits until the reader has as much as its feed and returns the longest
// time that an entry took to arrive.
func (r *reader) settle(feed []entry) time.Duration {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleTime)
	defer cancel()
	for len(r.seen()) < len(feed) && ctx.Err() == nil {
		pause.For(ctx, 20*time.Millisecond)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.longest
}

func (r *reader) followSocket(ctx context.Context, s *server) error {
	url := fmt.Sprintf("ws://%s/ws?after=%d", s.addr, r.last())
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + r.world.token(r.feed.role, r.feed.user)}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		var frame struct {
			ID, Type, Sequence string
			Time               time.Time
			Data               struct{ Resumed bool }
		}
		if err := json.Unmarshal(message, &frame); err != nil {
			return err
		}
		switch {
		case frame.Type == "stream.ready" && !frame.Data.Resumed:
			r.t.Errorf("a socket of %s was not resumed: %s", r.feed, message)
		case frame.Sequence != "":
			sequence, err := strconv.ParseInt(frame.Sequence, 10, 64)
			if err != nil {
				return err
			}
			r.note(entry{sequence: sequence, id: frame.ID}, frame.Time)
		}
	}
}

func (r *reader) followStream(ctx context.Context, s *server) error {
	transport := grpcTransport()
	defer transport.CloseIdleConnections()
	client := bookingsv1connect.NewEventServiceClient(&http.Client{Transport: transport}, "http://"+s.addr, connect.WithGRPC())
	ctx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("X-Internal-Token", internalToken)
	after := r.last()
	stream, err := client.StreamEvents(ctx, &bookingsv1.StreamEventsRequest{
		Role:          bookingsv1.Role(bookingsv1.Role_value["ROLE_"+upper(r.feed.role)]),
		UserId:        r.feed.user,
		AfterSequence: &after,
	})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		if event := stream.Msg().GetEvent(); event != nil {
			r.note(entry{sequence: event.GetSequence(), id: event.GetId()}, event.GetTime().AsTime())
		}
	}
	return stream.Err()
}

func upper(role booking.Role) string {
	if role == booking.RoleCustomer {
		return "CUSTOMER"
	}
	return "PROVIDER"
}

func grpcTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Transport{Protocols: &protocols}
}

func reconnects(readers []*reader) (sum int64) {
	for _, r := range readers {
		sum += r.returns.Load()
	}
	return sum
}

// difference says what is wrong with a record, or nothing.
func difference(record, feed []entry) string {
	for i := range min(len(record), len(feed)) {
		if record[i] != feed[i] {
			return fmt.Sprintf("entry %d is %v, the feed has %v", i+1, record[i], feed[i])
		}
	}
	if len(record) != len(feed) {
		return fmt.Sprintf("%d entries, the feed has %d", len(record), len(feed))
	}
	return ""
}
