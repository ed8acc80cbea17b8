package bookingsvc

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
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
	// The id is made here and not by the database, since River's job, which is
	// inserted first, has to name it. It is a UUIDv7 (RFC 9562): it sorts by the
	// time it was made, so that new rows are neighbours in their index.
	b, event, err := booking.New(uuid.Must(uuid.NewV7()), by, r, s.now(), s.Terms)
	if err != nil {
		return s.replayOr(ctx, by, r, err)
	}
	created, err := s.insert(ctx, by, r, b, event)
	if err == nil && r.ValidateOnly {
		created.Booking = withoutIdentity(created.Booking)
	}
	return created, err
}

// insert books in four round trips: BEGIN, River's job (and a second where
// PENDING bookings expire), one batch, COMMIT or
// ROLLBACK. The job comes first, so that its id is in the booking's row from the
// beginning and a cancel finds it. That keeps the order of locks, though River's
// rows come last in it: the job is new, so nobody else can wait for it. A
// booking that is refused takes its job back with it.
func (s *Service) insert(ctx context.Context, by booking.Actor, r booking.Request, b booking.Booking, event booking.Event) (created Created, err error) {
	err = s.inTx(ctx, b.ProviderID, func(tx pgx.Tx) (_ []feed.Entry, err error) {
		if b, err = s.schedule(ctx, tx, b); err != nil {
			return nil, err
		}
		batch := createBatch{by: by, key: r.IdempotencyKey, fingerprint: booking.Fingerprint(by, r), booking: b}
		if err := batch.run(ctx, tx, event); err != nil {
			return nil, fmt.Errorf("insert a booking: %w", err)
		}
		created, err = batch.outcome(s.MaxPending)
		if err == nil && (created.Replayed || r.ValidateOnly) {
			err = errRollback
		}
		return batch.entries, err
	})
	if err != nil {
		return Created{}, err
	}
	return created, nil
}

// replayOr answers a call that breaks a rule: with the booking that its key has
// made, or with the rule. A key comes before every rule, since the answer to a
// retry must be the first answer: a caller whose network was away for an hour
// has to learn that there is a booking, not that its start has passed since.
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
