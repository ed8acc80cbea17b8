package bookingsvc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgbatch"
	"bookings/internal/pgerror"
)

// Created is what became of a booking.Request.
type Created struct {
	Booking booking.Booking
	// Replayed tells that the key had made this booking before.
	Replayed bool
}

// Create books a slot. It fails as booking.Request.Resolve and booking.New do,
// and with SLOT_TAKEN, TOO_MANY_PENDING or IDEMPOTENCY_KEY_REUSED.
func (s *Service) Create(ctx context.Context, by booking.Actor, r booking.Request) (Created, error) {
	r, err := r.Resolve(by)
	if err != nil {
		return Created{}, err
	}
	// The id is made here and not by the database, since River's job and the event,
	// which go out with it, have to name it. It is a UUIDv7 (RFC 9562): it sorts by the
	// time it was made, so that new rows are neighbours in their index.
	b, event, err := booking.New(uuid.Must(uuid.NewV7()), by, r, s.now(), s.Terms)
	if err != nil {
		return s.replayOr(ctx, by, r, err)
	}
	return s.insert(ctx, by, r, &newBooking{
		booking: b, event: event,
		key: r.IdempotencyKey, fingerprint: booking.Fingerprint(by, r), maxPending: s.MaxPending, client: s.Jobs,
	})
}

// insert books, in one round trip where it is alone, commit included; a trial takes a
// second to roll back, a refusal a second to look up its key.
func (s *Service) insert(ctx context.Context, by booking.Actor, r booking.Request, n *newBooking) (Created, error) {
	if r.ValidateOnly {
		return s.try(ctx, by, n)
	}
	if err := s.write(ctx, n); err != nil {
		return Created{}, pgerror.Explain(fmt.Errorf("insert a booking: %w", err))
	}
	b, refused := n.outcome(by)
	if refused != nil {
		return s.replayOr(ctx, by, r, refused)
	}
	return Created{Booking: b}, nil
}

// try does all that a create does, and takes it back.
func (s *Service) try(ctx context.Context, by booking.Actor, n *newBooking) (Created, error) {
	statements := func(batch *pgbatch.Batch) error { return n.queue(ctx, batch) }
	err := s.Pool.InTxAfter(ctx, n.booking.ProviderID, statements, func(pgx.Tx) error { return errRollback })
	if !errors.Is(err, errRollback) {
		return Created{}, pgerror.Explain(err)
	}
	b, err := n.outcome(by)
	return Created{Booking: withoutIdentity(b)}, err
}

// replayOr answers a call that is refused: with the booking that its key has made, or
// with the refusal. A key comes before every rule, since the answer to a
// retry must be the first answer: a caller whose network was away for an hour
// has to learn that there is a booking, not that its start has passed since. And a
// key that is taken is as good a reason as a slot that is, for the statement that
// books: which of the two it was is asked here.
// There is no transaction: a booking that is there stays, and one that is made
// at this moment by a call of this key is no earlier than this call.
func (s *Service) replayOr(ctx context.Context, by booking.Actor, r booking.Request, broken error) (Created, error) {
	if r.IdempotencyKey == "" {
		return Created{}, broken
	}
	earlier, err := queries.BookingGetByKey(ctx, s.Pool, keyParams(r.ProviderID, r.IdempotencyKey))
	switch {
	case err != nil:
		return Created{}, pgerror.Explain(fmt.Errorf("look up an idempotency key: %w", err))
	case len(earlier) == 0:
		return Created{}, broken
	}
	return replay(earlier[0], booking.Fingerprint(by, r))
}

// replay is the booking that a key has made, as it is now, where the call is the
// same. Anybody else learns no more than that the key is spent.
func replay(earlier sqlc.Booking, fingerprint []byte) (Created, error) {
	if !bytes.Equal(earlier.RequestFingerprint, fingerprint) {
		return Created{}, booking.ErrKeyReused
	}
	return Created{Booking: bookingdb.FromRow(earlier), Replayed: true}, nil
}

func keyParams(providerID, key string) sqlc.BookingGetByKeyParams {
	return sqlc.BookingGetByKeyParams{ProviderID: providerID, IdempotencyKey: &key}
}

// withoutIdentity is a booking that was only tried: it has no id and no etag.
func withoutIdentity(b booking.Booking) booking.Booking {
	b.ID, b.Version = uuid.Nil, 0
	return b
}
