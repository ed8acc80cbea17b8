package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

const (
	providers = 3
	customers = 5
	writers   = 6
)

// everybody is all feeds that the load writes to.
func everybody() []feedName {
	var all []feedName
	for i := range providers {
		all = append(all, feedName{booking.RoleProvider, provider(i)})
	}
	for i := range customers {
		all = append(all, feedName{booking.RoleCustomer, customer(i)})
	}
	return all
}

func provider(i int) string { return fmt.Sprintf("provider %d", i) }
func customer(i int) string { return fmt.Sprintf("customer/%d", i) }

// load is what users do meanwhile: they book, confirm, move and cancel, and try
// again when a server fails them.
type load struct {
	world  *world
	stop   func()
	done   atomic.Int64
	failed atomic.Int64
	slot   atomic.Int64
	// first is the first failure.
	first atomic.Value

	mu sync.Mutex
	// answered are the changes that a server has answered OK.
	answered []change
}

// change is one that the load makes: of each kind one at most to each booking.
type change struct{ booking, event string }

// answer is what each change answers.
type answer interface{ GetBooking() *bookingsv1.Booking }

// startLoad begins it. Requests go to the servers in turn, or where via sends
// them.
func startLoad(t *testing.T, w *world, via http.RoundTripper) *load {
	t.Helper()
	l := &load{world: w}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { l.write(ctx, i, via) })
	}
	l.stop = func() { cancel(); all.Wait() }
	t.Cleanup(l.stop)
	return l
}

func (l *load) write(ctx context.Context, writer int, via http.RoundTripper) {
	var clients [2]bookingsv1connect.BookingServiceClient
	client := &http.Client{Transport: via}
	defer client.CloseIdleConnections()
	for i, server := range l.world.servers {
		clients[i] = bookingsv1connect.NewBookingServiceClient(client, "http://"+server.addr)
	}
	for turn := writer; ctx.Err() == nil; turn++ {
		l.live(ctx, clients[turn%2])
	}
}

// live is one booking's life. What has begun is not cut off, so that a call's
// outcome is known.
func (l *load) live(ctx context.Context, client bookingsv1connect.BookingServiceClient) {
	customer, provider := customer(rand.IntN(customers)), provider(rand.IntN(providers))
	asCustomer := l.as(booking.RoleCustomer, customer)
	asProvider := l.as(booking.RoleProvider, provider)
	start := time.Now().Add(24*time.Hour + time.Duration(l.slot.Add(2))*time.Minute)
	created, err := client.CreateBooking(asCustomer(), &bookingsv1.CreateBookingRequest{
		ProviderId: provider, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Minute)),
		IdempotencyKey: fmt.Sprintf("soak-%d", rand.Uint64()),
	})
	if !l.count(ctx, "booking.created", created, err) {
		return
	}
	id := created.GetBooking().GetId()
	confirmed, err := client.ConfirmBooking(asProvider(), &bookingsv1.ConfirmBookingRequest{Id: id})
	if !l.count(ctx, "booking.confirmed", confirmed, err) {
		return
	}
	moved, err := client.RescheduleBooking(asCustomer(), &bookingsv1.RescheduleBookingRequest{
		Id: id, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(90 * time.Second)),
	})
	if !l.count(ctx, "booking.rescheduled", moved, err) {
		return
	}
	cancelled, err := client.CancelBooking(asProvider(), &bookingsv1.CancelBookingRequest{Id: id, Reason: "soak"})
	l.count(ctx, "booking.cancelled", cancelled, err)
}

func (l *load) as(role booking.Role, user string) func() context.Context {
	token := l.world.token(role, user)
	return func() context.Context {
		ctx, call := connect.NewClientContext(context.Background())
		call.RequestHeader().Set("Authorization", "Bearer "+token)
		return ctx
	}
}

func (l *load) count(ctx context.Context, event string, a answer, err error) bool {
	if err == nil {
		l.done.Add(1)
		l.mu.Lock()
		l.answered = append(l.answered, change{booking: a.GetBooking().GetId(), event: event})
		l.mu.Unlock()
		return true
	}
	l.failed.Add(1)
	l.first.CompareAndSwap(nil, err.Error())
	pause.For(ctx, 50*time.Millisecond)
	return false
}
