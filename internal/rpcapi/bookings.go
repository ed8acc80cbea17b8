package rpcapi

import (
	"context"

	"github.com/google/uuid"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

// bookingService implements bookings.v1.BookingService. Its methods are called by
// connect and by REST alike, with a message that the validator has found good,
// and return errors as they are: the door in front says them in its protocol. A
// header for the caller goes onto the request's record, which is the one way that
// works through every door.
type bookingService struct {
	apierror.Responder
	bookings *bookingsvc.Service
}

// actor is who calls; the gate has let nobody in without one.
func actor(ctx context.Context) booking.Actor {
	return identity.From(ctx).Actor
}

// show is a booking as this caller sees it now. It reads the clock again after the
// use case: allowed_actions are about the moment of the answer.
func (s *bookingService) show(ctx context.Context, b booking.Booking) *bookingsv1.Booking {
	return toBooking(b, actor(ctx), s.bookings.Now())
}

// CreateBooking implements the method of the proto.
func (s *bookingService) CreateBooking(ctx context.Context, r *bookingsv1.CreateBookingRequest) (*bookingsv1.CreateBookingResponse, error) {
	created, err := s.bookings.Create(ctx, actor(ctx), toRequest(r))
	if err != nil {
		return nil, err
	}
	if created.Replayed {
		middleware.From(ctx).Header().Set("Idempotent-Replayed", "true")
	}
	return &bookingsv1.CreateBookingResponse{Booking: s.show(ctx, created.Booking)}, nil
}

// GetBooking implements the method of the proto.
func (s *bookingService) GetBooking(ctx context.Context, r *bookingsv1.GetBookingRequest) (*bookingsv1.GetBookingResponse, error) {
	b, err := s.bookings.Get(ctx, actor(ctx), uuid.MustParse(r.GetId()))
	if err != nil {
		return nil, err
	}
	return &bookingsv1.GetBookingResponse{Booking: s.show(ctx, b)}, nil
}

// ListBookings implements the method of the proto.
func (s *bookingService) ListBookings(ctx context.Context, r *bookingsv1.ListBookingsRequest) (*bookingsv1.ListBookingsResponse, error) {
	// Times that are not given do not filter: the zero time, not 1970.
	request := bookingsvc.ListRequest{
		ProviderID: r.GetProviderId(),
		CustomerID: r.GetCustomerId(),
		Statuses:   fromStatuses(r.GetStatuses()),
		Descending: r.GetOrderBy() == "start_time desc",
		PageSize:   int(r.GetPageSize()),
		PageToken:  r.GetPageToken(),
	}
	if from := r.GetStartTimeFrom(); from != nil {
		request.From = from.AsTime()
	}
	if to := r.GetStartTimeTo(); to != nil {
		request.To = to.AsTime()
	}
	bookings, next, err := s.bookings.List(ctx, actor(ctx), request)
	if err != nil {
		return nil, err
	}
	response := &bookingsv1.ListBookingsResponse{NextPageToken: next}
	for _, b := range bookings {
		response.Bookings = append(response.Bookings, s.show(ctx, b))
	}
	return response, nil
}

// UpdateBooking implements the method of the proto.
func (s *bookingService) UpdateBooking(ctx context.Context, r *bookingsv1.UpdateBookingRequest) (*bookingsv1.UpdateBookingResponse, error) {
	b, err := s.change(ctx, r, booking.Update(toPatch(r)))
	if err != nil {
		return nil, err
	}
	return &bookingsv1.UpdateBookingResponse{Booking: b}, nil
}

// ConfirmBooking implements the method of the proto.
func (s *bookingService) ConfirmBooking(ctx context.Context, r *bookingsv1.ConfirmBookingRequest) (*bookingsv1.ConfirmBookingResponse, error) {
	b, err := s.change(ctx, r, booking.Confirm())
	if err != nil {
		return nil, err
	}
	return &bookingsv1.ConfirmBookingResponse{Booking: b}, nil
}

// RescheduleBooking implements the method of the proto.
func (s *bookingService) RescheduleBooking(ctx context.Context, r *bookingsv1.RescheduleBookingRequest) (*bookingsv1.RescheduleBookingResponse, error) {
	b, err := s.bookings.Reschedule(ctx, actor(ctx), target(r), bookingsvc.Move{
		Slot:         toSlot(r),
		ValidateOnly: r.GetValidateOnly(),
	})
	if err != nil {
		return nil, err
	}
	return &bookingsv1.RescheduleBookingResponse{Booking: s.show(ctx, b)}, nil
}

// CancelBooking implements the method of the proto.
func (s *bookingService) CancelBooking(ctx context.Context, r *bookingsv1.CancelBookingRequest) (*bookingsv1.CancelBookingResponse, error) {
	b, err := s.change(ctx, r, booking.Cancel(r.GetReason()))
	if err != nil {
		return nil, err
	}
	return &bookingsv1.CancelBookingResponse{Booking: b}, nil
}

// CancelBookings implements the method of the proto.
func (s *bookingService) CancelBookings(ctx context.Context, r *bookingsv1.CancelBookingsRequest) (*bookingsv1.CancelBookingsResponse, error) {
	outcomes, more, err := s.bookings.CancelAll(ctx, actor(ctx), toClosing(r))
	if err != nil {
		return nil, err
	}
	response := &bookingsv1.CancelBookingsResponse{More: more}
	for _, outcome := range outcomes {
		shown := &bookingsv1.CancelBookingsOutcome{Id: outcome.ID.String()}
		if outcome.Err != nil {
			shown.Error = toOutcomeError(s.Explain(ctx, outcome.Err))
		} else {
			shown.Booking = s.show(ctx, outcome.Booking)
		}
		response.Outcomes = append(response.Outcomes, shown)
	}
	return response, nil
}

// CompleteBooking implements the method of the proto.
func (s *bookingService) CompleteBooking(ctx context.Context, r *bookingsv1.CompleteBookingRequest) (*bookingsv1.CompleteBookingResponse, error) {
	b, err := s.change(ctx, r, booking.Complete())
	if err != nil {
		return nil, err
	}
	return &bookingsv1.CompleteBookingResponse{Booking: b}, nil
}

// MarkBookingNoShow implements the method of the proto.
func (s *bookingService) MarkBookingNoShow(ctx context.Context, r *bookingsv1.MarkBookingNoShowRequest) (*bookingsv1.MarkBookingNoShowResponse, error) {
	b, err := s.change(ctx, r, booking.MarkNoShow())
	if err != nil {
		return nil, err
	}
	return &bookingsv1.MarkBookingNoShowResponse{Booking: b}, nil
}

// ListBookingEvents implements the method of the proto.
func (s *bookingService) ListBookingEvents(ctx context.Context, r *bookingsv1.ListBookingEventsRequest) (*bookingsv1.ListBookingEventsResponse, error) {
	events, next, err := s.bookings.History(ctx, actor(ctx), bookingsvc.HistoryRequest{
		ID: uuid.MustParse(r.GetId()), PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	response := &bookingsv1.ListBookingEventsResponse{NextPageToken: next}
	for _, event := range events {
		shown, err := toBookingEvent(event)
		if err != nil {
			return nil, err
		}
		response.Events = append(response.Events, shown)
	}
	return response, nil
}

// changeRequest is a request about one booking, perhaps in one version.
type changeRequest interface {
	GetId() string
	GetEtag() string
}

// target relies on the validator: the id is a UUID. (uuid.MustParse takes other
// spellings too, such as urn:uuid:…, which the proto's rule has refused.)
func target(r changeRequest) bookingsvc.Target {
	return bookingsvc.Target{ID: uuid.MustParse(r.GetId()), Etag: r.GetEtag()}
}

// change is what the methods that change one booking share.
func (s *bookingService) change(ctx context.Context, r changeRequest, change booking.Change) (*bookingsv1.Booking, error) {
	b, err := s.bookings.Change(ctx, actor(ctx), target(r), change)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, b), nil
}
