package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/gen/bookings/v1/bookingsv1connect"
	"bookings/internal/booking"
	"bookings/internal/pause"
)

// history is what users did and were told. Each call has a start or a note that no
// other call has, so that what it left can be found.
type history struct {
	world   *world
	clients [2]bookingsv1connect.BookingServiceClient
	stop    func()
	calls   atomic.Int64

	mu sync.Mutex
	// booked are the states that were answered, by booking and version.
	booked map[string]map[int64]state
	// keyed are the bookings that each idempotency key was answered with.
	keyed map[string][]string
	// wrong is what must not be answered.
	wrong []string
	// refusals are the starts and notes of calls that were refused at once.
	refusals []mark

	// closed are the bookings that closings were answered to have cancelled.
	acknowledged, refused, unanswered, replayed, closed int
}

// state is a booking as an answer shows it.
type state struct {
	status     string
	start, end time.Time
	note       string
}

// mark is what one call alone would leave.
type mark struct {
	start time.Time
	note  string
}

// startHistory begins it.
func startHistory(t *testing.T, w *world) *history {
	t.Helper()
	h := &history{world: w, booked: map[string]map[int64]state{}, keyed: map[string][]string{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * writers}
	for i, server := range w.servers {
		h.clients[i] = bookingsv1connect.NewBookingServiceClient(&http.Client{Transport: transport}, "http://"+server.addr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for ctx.Err() == nil {
				h.live()
			}
		})
	}
	h.stop = sync.OnceFunc(func() { cancel(); all.Wait(); transport.CloseIdleConnections() })
	t.Cleanup(h.stop)
	return h
}

// live is one booking's life: it is made by two racing calls of one key, and then
// both parties change it at once. Now and then its provider closes for a day.
func (h *history) live() {
	who := parties{customer: customer(rand.IntN(customers)), provider: provider(rand.IntN(providers))}
	id := h.create(who)
	if id == "" {
		return
	}
	var both sync.WaitGroup
	for _, role := range []booking.Role{booking.RoleCustomer, booking.RoleProvider} {
		both.Go(func() {
			for range 1 + rand.IntN(3) {
				h.change(id, role, who)
			}
		})
	}
	both.Wait()
	if rand.IntN(25) == 0 {
		h.closeDay(who.token(h.world, booking.RoleProvider))
	}
	if rand.IntN(2) == 0 {
		h.call(func(ctx context.Context, c client) (answer, error) {
			return say(c.CancelBooking(ctx, &bookingsv1.CancelBookingRequest{Id: id, Reason: "history"}))
		}, who.token(h.world, booking.RoleCustomer), mark{})
	}
}

type parties struct{ customer, provider string }

func (p parties) token(w *world, role booking.Role) string {
	if role == booking.RoleProvider {
		return w.token(role, p.provider)
	}
	return w.token(role, p.customer)
}

// slot is one of those that many want at once. What is wanted moves on with the
// calls, as bookings stay.
func (h *history) slot() (start, end *timestamppb.Timestamp) {
	call := h.calls.Add(1)
	hour := call/30 + rand.Int64N(8)
	begins := time.Now().Truncate(24 * time.Hour).Add(time.Duration(48+hour)*time.Hour + time.Duration(call)*time.Microsecond)
	return timestamppb.New(begins), timestamppb.New(begins.Add(time.Hour))
}

// soon is one whose reminder is due at once.
func (h *history) soon() (start, end *timestamppb.Timestamp) {
	call := h.calls.Add(1)
	begins := time.Now().Truncate(time.Millisecond).Add(9*time.Minute + time.Duration(call)*time.Microsecond)
	return timestamppb.New(begins), timestamppb.New(begins.Add(time.Millisecond))
}

func (h *history) create(who parties) (id string) {
	start, end := h.slot()
	if rand.IntN(6) == 0 {
		start, end = h.soon()
	}
	request := &bookingsv1.CreateBookingRequest{
		ProviderId: who.provider, CustomerId: who.customer, StartTime: start, EndTime: end,
		IdempotencyKey: fmt.Sprintf("history-%d", rand.Uint64()),
	}
	request.Note = request.GetIdempotencyKey()
	role := []booking.Role{booking.RoleCustomer, booking.RoleProvider}[rand.IntN(2)]
	var tries sync.WaitGroup
	ids := make([]string, 2)
	for i := range ids {
		tries.Go(func() {
			ids[i] = h.call(func(ctx context.Context, c client) (answer, error) {
				return say(c.CreateBooking(ctx, request))
			}, who.token(h.world, role), mark{})
		})
	}
	tries.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	// One may be refused before the slot is free, and the other may get it then.
	made := slices.DeleteFunc(ids, func(id string) bool { return id == "" })
	h.keyed[request.GetIdempotencyKey()] = made
	if len(made) == 0 {
		h.refusals = append(h.refusals, mark{start: start.AsTime(), note: request.GetNote()})
		return ""
	}
	return made[0]
}

func (h *history) change(id string, role booking.Role, who parties) {
	start, end := h.slot()
	note := fmt.Sprintf("note %d", rand.Uint64())
	changes := []struct {
		mark mark
		call func(context.Context, client) (answer, error)
	}{
		{mark{start: start.AsTime()}, func(ctx context.Context, c client) (answer, error) {
			return say(c.RescheduleBooking(ctx, &bookingsv1.RescheduleBookingRequest{Id: id, StartTime: start, EndTime: end}))
		}},
		{mark{note: note}, func(ctx context.Context, c client) (answer, error) {
			return say(c.UpdateBooking(ctx, &bookingsv1.UpdateBookingRequest{Id: id, Note: &note}))
		}},
		{mark{}, func(ctx context.Context, c client) (answer, error) {
			return say(c.ConfirmBooking(ctx, &bookingsv1.ConfirmBookingRequest{Id: id}))
		}},
	}
	chosen := changes[rand.IntN(len(changes))]
	if role == booking.RoleCustomer {
		chosen = changes[rand.IntN(2)]
	}
	h.call(chosen.call, who.token(h.world, role), chosen.mark)
}

type client = bookingsv1connect.BookingServiceClient

// say is an answer without its type.
func say[A answer](a A, err error) (answer, error) { return a, err }

// call asks until there is an answer, and returns the id of the booking, or nothing
// where the call was refused.
func (h *history) call(call func(context.Context, client) (answer, error), token string, left mark) string {
	var a answer
	tries, header, err := h.ask(token, func(ctx context.Context, c client) (err error) {
		a, err = call(ctx, c)
		return err
	})
	switch {
	case err == nil:
		h.acknowledge(a.GetBooking(), tries > 0 && header.Get("Idempotent-Replayed") != "")
		return a.GetBooking().GetId()
	case isRefusal(err):
		h.refuse(err, left, tries == 0)
	default:
		h.failf("no answer in all that time: %v", err)
	}
	return ""
}

// ask tries until there is an answer, at one server and then at the other, and tells
// how many tries had none.
func (h *history) ask(token string, call func(context.Context, client) error) (missed int, header http.Header, err error) {
	deadline := time.Now().Add(settleTime)
	for at := rand.IntN(2); ; at, missed = 1-at, missed+1 {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		ctx, info := connect.NewClientContext(ctx)
		info.RequestHeader().Set("Authorization", "Bearer "+token)
		err = call(ctx, h.clients[at])
		cancel()
		if err == nil || isRefusal(err) || time.Now().After(deadline) {
			return missed, info.ResponseHeader(), err
		}
		h.miss(err)
		pause.For(context.Background(), time.Duration(rand.Int64N(int64(50*time.Millisecond))))
	}
}

// isRefusal tells a refusal from a try that may have had its effect or not.
func isRefusal(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeUnknown, connect.CodeInternal:
		return false
	default:
		return true
	}
}

func (h *history) acknowledge(b *bookingsv1.Booking, replayed bool) {
	told := state{status: b.GetStatus().String(), start: b.GetStartTime().AsTime(), end: b.GetEndTime().AsTime(), note: b.GetNote()}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledged++
	if replayed {
		h.replayed++
	}
	versions := h.booked[b.GetId()]
	if versions == nil {
		versions = map[int64]state{}
		h.booked[b.GetId()] = versions
	}
	if known, ok := versions[b.GetVersion()]; ok && known != told {
		h.wrong = append(h.wrong, fmt.Sprintf("version %d of %s was answered as %v and as %v", b.GetVersion(), b.GetId(), known, told))
	}
	versions[b.GetVersion()] = told
}

// refuse notes a refusal. One that came to the first try must have left nothing;
// a later one may be of a call whose first try was done and then changed again.
func (h *history) refuse(err error, left mark, first bool) {
	reason := reasonOf(err)
	if reason != string(booking.ReasonSlotTaken) && reason != string(booking.ReasonInvalidTransition) {
		h.failf("refused with %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused++
	if first {
		h.refusals = append(h.refusals, left)
	}
}

// miss notes a try without an answer. That the server itself has failed is none.
func (h *history) miss(err error) {
	if reason := reasonOf(err); reason == "INTERNAL" {
		h.failf("answered %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unanswered++
}

func (h *history) failf(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
}

// reasonOf is the reason that a server gave, or nothing where none did.
func reasonOf(err error) string {
	told, _ := errors.AsType[*connect.Error](err)
	if told == nil {
		return ""
	}
	for _, detail := range told.Details() {
		if message, err := detail.Value(); err == nil {
			if info, ok := message.(*errdetails.ErrorInfo); ok {
				return info.GetReason()
			}
		}
	}
	return ""
}
