package soak

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/pause"
)

// closeDay calls off a day of a provider's, among those that are being booked. What
// was cancelled by a try without an answer is not told by the next, which finds it
// cancelled: a caller who wants to know reads the day.
func (h *history) closeDay(token string) {
	from := time.Now().Truncate(24 * time.Hour).Add(time.Duration(48+h.calls.Load()/30) * time.Hour)
	request := &bookingsv1.CancelBookingsRequest{
		StartTimeFrom: timestamppb.New(from), StartTimeTo: timestamppb.New(from.Add(24 * time.Hour)), Reason: "closed",
	}
	unsure := false
	for deadline := time.Now().Add(settleTime); ; {
		var answered *bookingsv1.CancelBookingsResponse
		missed, _, err := h.ask(token, func(ctx context.Context, c client) (err error) {
			answered, err = c.CancelBookings(ctx, request)
			return err
		})
		if err != nil || time.Now().After(deadline) {
			h.failf("a closing does not come to its end: %v", err)
			return
		}
		failed := h.closedAs(answered.GetOutcomes())
		unsure = unsure || missed > 0 || failed
		if !failed && !answered.GetMore() {
			break
		}
		pause.For(context.Background(), 20*time.Millisecond)
	}
	if unsure {
		h.readDay(token, request)
	}
}

// closedAs takes down what became of bookings. failed tells that of some it is not
// known.
func (h *history) closedAs(outcomes []*bookingsv1.CancelBookingsOutcome) (failed bool) {
	for _, outcome := range outcomes {
		switch code := outcome.GetError().GetCode(); code {
		case "":
			h.acknowledge(outcome.GetBooking(), false)
			if outcome.GetBooking().GetStatus() == bookingsv1.BookingStatus_BOOKING_STATUS_CANCELLED {
				h.mu.Lock()
				h.closed++
				h.mu.Unlock()
			}
		case "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED":
			failed = true
		default:
			h.failf("a closing cannot cancel %s: %v", outcome.GetId(), outcome.GetError())
		}
	}
	return failed
}

// readDay takes down the day's bookings as they are.
func (h *history) readDay(token string, day *bookingsv1.CancelBookingsRequest) {
	request := &bookingsv1.ListBookingsRequest{StartTimeFrom: day.GetStartTimeFrom(), StartTimeTo: day.GetStartTimeTo(), PageSize: 200}
	for {
		var page *bookingsv1.ListBookingsResponse
		_, _, err := h.ask(token, func(ctx context.Context, c client) (err error) {
			page, err = c.ListBookings(ctx, request)
			return err
		})
		if err != nil {
			h.failf("a closed day cannot be read: %v", err)
			return
		}
		for _, b := range page.GetBookings() {
			h.acknowledge(b, false)
		}
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return
		}
	}
}
