package bookingsvc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/pgerror"
	"bookings/internal/remind"
	"bookings/internal/requestid"
)

// CreateRequest asks for a booking.
type CreateRequest struct {
	ProviderID string
	CustomerID string
	StartTime  time.Time
	EndTime    time.Time
	Note       string
	// IdempotencyKey makes a retry safe; empty for none.
	IdempotencyKey string
	// ValidateOnly checks everything and books nothing.
	ValidateOnly bool
}

// Created is what became of a CreateRequest.
type Created struct {
	Booking booking.Booking
	// Replayed tells that the key had made this booking before.
	Replayed bool
}

// Create books a slot. It fails as booking.Request.Resolve and booking.New do,
// and with SLOT_TAKEN, TOO_MANY_PENDING or IDEMPOTENCY_KEY_REUSED.
func (s *Service) Create(ctx context.Context, by booking.Actor, r CreateRequest) (Created, error) {
	slot, err := booking.NewSlot(r.StartTime, r.EndTime)
	if err != nil {
		return Created{}, err
	}
	request := booking.Request{ProviderID: r.ProviderID, CustomerID: r.CustomerID, Slot: slot, Note: r.Note}
	if request, err = request.Resolve(by); err != nil {
		return Created{}, err
	}
	key := newKey(by, request, r)
	id, err := newID()
	if err != nil {
		return Created{}, err
	}
	b, event, err := booking.New(id, by, request, s.now(), s.ReminderLead)
	if err != nil {
		// A key is looked up before any rule about time: a retry is answered
		// even when the start has passed since.
		return s.replayOr(ctx, key, err)
	}
	return s.insert(ctx, by, b, event, key, r.ValidateOnly)
}

// insert books in four round trips: BEGIN, River, one batch, COMMIT. The job
// comes first so that its id is in the row; it locks nothing that anybody else
// could wait for.
func (s *Service) insert(ctx context.Context, by booking.Actor, b booking.Booking, event booking.Event, key key, validateOnly bool) (Created, error) {
	var replay *booking.Booking
	err := s.inTx(ctx, validateOnly, func(tx pgx.Tx) (entries []feed.Entry, err error) {
		b, err = remind.Schedule(ctx, s.Jobs, tx, b, requestid.From(ctx))
		if err != nil {
			return nil, err
		}
		statements := insertion{booking: b, by: by, key: key, maxPending: s.MaxPending}
		entries, err = statements.run(ctx, tx, event)
		replay = statements.replay
		return entries, err
	})
	switch {
	case replay != nil:
		return Created{Booking: *replay, Replayed: true}, nil
	case err != nil:
		return Created{}, err
	case validateOnly:
		return Created{Booking: withoutIdentity(b)}, nil
	}
	return Created{Booking: b}, nil
}

// withoutIdentity is a booking that was only tried: it has no id and no etag.
func withoutIdentity(b booking.Booking) booking.Booking {
	b.ID, b.Version = [16]byte{}, 0
	return b
}

// insertion is the batch that books: it locks both feeds, then looks up the key
// and counts pending bookings, then inserts. Each statement sees what was
// committed before the locks were had, and the writes are rolled back where a
// look-up forbids them: that saves the round trip of asking first.
type insertion struct {
	booking    booking.Booking
	by         booking.Actor
	key        key
	maxPending int64

	replay *booking.Booking
}

var errReplayed = errors.New("the key has made its booking already")

func (i *insertion) run(ctx context.Context, tx pgx.Tx, event booking.Event) ([]feed.Entry, error) {
	appending, err := feed.NewAppend(event)
	if err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	batch.Queue(sqlc.FeedLock, i.booking.ProviderID, i.booking.CustomerID)
	i.queueKey(batch)
	i.queuePending(batch)
	i.queueInsert(batch)
	var entries []feed.Entry
	appending.Queue(batch).Query(func(rows pgx.Rows) (err error) {
		entries, err = appending.Collect(rows)
		return err
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("insert a booking: %w", err)
	}
	return entries, nil
}

func (i *insertion) queueKey(batch *pgx.Batch) {
	if i.key.name == "" {
		return
	}
	batch.Queue(sqlc.BookingGetByKey, i.booking.ProviderID, i.key.name).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sqlc.Booking])
		switch {
		case err != nil:
			return fmt.Errorf("look up an idempotency key: %w", err)
		case len(found) == 0:
			return nil
		}
		if i.replay, err = i.key.replay(found[0]); err != nil {
			return err
		}
		return errReplayed
	})
}

func (i *insertion) queuePending(batch *pgx.Batch) {
	if i.booking.Status != booking.StatusPending {
		return
	}
	b := i.booking
	batch.Queue(sqlc.BookingCountPending, b.CustomerID, b.ProviderID, b.CreateTime, b.ID).QueryRow(func(row pgx.Row) error {
		var others int64
		if err := row.Scan(&others); err != nil {
			return fmt.Errorf("count pending bookings: %w", err)
		}
		return booking.CheckPending(b, i.by, others, i.maxPending)
	})
}

// queueInsert gives the arguments in the order of sqlc.BookingInsertParams.
func (i *insertion) queueInsert(batch *pgx.Batch) {
	b := i.booking
	batch.Queue(sqlc.BookingInsert,
		b.ID, b.ProviderID, b.CustomerID, b.Slot.Start, b.Slot.End, string(b.Status), b.Note, b.Version, b.Moves,
		i.key.column(), i.key.fingerprintColumn(),
		b.Reminder.DueTime, string(b.Reminder.State), b.Reminder.JobID, b.CreateTime, b.UpdateTime)
}

// key is an idempotency key with what it stands for.
type key struct {
	name        string
	providerID  string
	fingerprint []byte
}

// newKey is the key of a call; a trial neither takes nor replays one.
func newKey(by booking.Actor, request booking.Request, r CreateRequest) key {
	if r.ValidateOnly || r.IdempotencyKey == "" {
		return key{}
	}
	return key{name: r.IdempotencyKey, providerID: request.ProviderID, fingerprint: booking.Fingerprint(by, request)}
}

func (k key) column() *string {
	if k.name == "" {
		return nil
	}
	return &k.name
}

func (k key) fingerprintColumn() []byte { return k.fingerprint }

// replay is the booking that the key made, if the call is the same.
func (k key) replay(row sqlc.Booking) (*booking.Booking, error) {
	if !bytes.Equal(row.RequestFingerprint, k.fingerprint) {
		return nil, booking.Errorf(booking.ReasonIdempotencyKeyReused, "the idempotency key stands for another call")
	}
	b := bookingdb.FromRow(row)
	return &b, nil
}

// replayOr answers a call that breaks a rule: with the booking that its key has
// made, or with the rule.
func (s *Service) replayOr(ctx context.Context, k key, broken error) (Created, error) {
	if k.name == "" {
		return Created{}, broken
	}
	row, err := queries.BookingGetByKey(ctx, s.Pool, sqlc.BookingGetByKeyParams{ProviderID: k.providerID, IdempotencyKey: &k.name})
	if errors.Is(err, pgx.ErrNoRows) {
		return Created{}, broken
	}
	if err != nil {
		return Created{}, pgerror.Explain(fmt.Errorf("look up an idempotency key: %w", err))
	}
	b, err := k.replay(row)
	if err != nil {
		return Created{}, err
	}
	return Created{Booking: *b, Replayed: true}, nil
}
