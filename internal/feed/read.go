package feed

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgerror"
)

// Bounds are the ends of a feed.
type Bounds struct {
	// Head is the number of the newest entry; 0 for none.
	Head int64
	// PrunedThrough is the number up to which entries have been removed.
	PrunedThrough int64
}

// ReadBounds reads a feed's ends. A feed that nothing was written to has zeros.
func ReadBounds(ctx context.Context, db sqlc.DBTX, key Key) (Bounds, error) {
	row, err := new(sqlc.Queries).FeedHead(ctx, db, sqlc.FeedHeadParams{Role: string(key.Role), UserID: key.User})
	if errors.Is(err, pgx.ErrNoRows) {
		return Bounds{}, nil
	}
	if err != nil {
		return Bounds{}, pgerror.Explain(fmt.Errorf("read a feed's head: %w", err))
	}
	return Bounds{Head: row.Head, PrunedThrough: row.PrunedThrough}, nil
}

// Check fails with SEQUENCE_OUT_OF_RANGE where a reader cannot go on after a
// number, because what follows is pruned or the number is ahead of the head.
func (b Bounds) Check(after int64) error {
	if after >= b.PrunedThrough && after <= b.Head {
		return nil
	}
	err := booking.Errorf(booking.ReasonSequenceOutOfRange,
		"the feed goes from %d to %d: list the bookings and go on after its head", b.PrunedThrough+1, b.Head)
	err.Metadata = map[string]string{"head": strconv.FormatInt(b.Head, 10)}
	return err
}

// Read reads at most limit entries after a number, in order.
func Read(ctx context.Context, db sqlc.DBTX, key Key, after int64, limit int) ([]Entry, error) {
	rows, err := new(sqlc.Queries).FeedRead(ctx, db, sqlc.FeedReadParams{
		Role: string(key.Role), UserID: key.User, After: after, PageSize: int32(limit),
	})
	if err != nil {
		return nil, pgerror.Explain(fmt.Errorf("read a feed: %w", err))
	}
	entries := make([]Entry, 0, len(rows))
	for _, row := range rows {
		entries = append(entries, Entry{
			Key: key, Sequence: row.Sequence, ID: row.ID.String(), Type: booking.EventType(row.Type),
			BookingID: row.BookingID.String(), Time: row.Time, Data: row.Data,
		})
	}
	return entries, nil
}

// errMissing is a feed without one of its numbers: our fault, and nobody's rule.
var errMissing = errors.New("an entry is missing")

// readNext is Read that leaves nothing out: what it returns begins with the
// number after the given one and has no holes, or is empty where the feed ends
// there. It fails with SEQUENCE_OUT_OF_RANGE where what follows the number is
// pruned, also while it is being read, and with errMissing where it should be
// there and is not.
//
// Entries and bounds are read one after the other, and the feed may grow or be
// pruned in between. So bounds that contradict what was read are no proof at
// first; but what they say is there must be there at the second reading, unless
// its bounds say that it was pruned.
func readNext(ctx context.Context, db sqlc.DBTX, key Key, after int64, limit int) ([]Entry, error) {
	for range 2 {
		entries, err := Read(ctx, db, key, after, limit)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 && entries[0].Sequence == after+1 {
			return upToHole(entries), nil
		}
		bounds, err := ReadBounds(ctx, db, key)
		if err != nil {
			return nil, err
		}
		if err := bounds.Check(after); err != nil || bounds.Head == after {
			return nil, err
		}
	}
	return nil, fmt.Errorf("feed %s, number %d: %w", key.Source(), after+1, errMissing)
}

// upToHole are the entries that follow on each other without a hole: who goes
// on after the last of them meets it.
func upToHole(entries []Entry) []Entry {
	for i, entry := range entries {
		if entry.Sequence != entries[0].Sequence+int64(i) {
			return entries[:i]
		}
	}
	return entries
}

// List reads a page of a feed after a number, or from the oldest entry kept
// where that is nil, and the feed's head. It fails with SEQUENCE_OUT_OF_RANGE.
func (h *Hub) List(ctx context.Context, key Key, after *int64, limit int) ([]Entry, int64, error) {
	bounds, err := ReadBounds(ctx, h.db, key)
	if err != nil {
		return nil, 0, err
	}
	from := bounds.PrunedThrough
	if after != nil {
		from = *after
	}
	if err := bounds.Check(from); err != nil {
		return nil, 0, err
	}
	if from == bounds.Head {
		return nil, bounds.Head, nil
	}
	entries, err := readNext(ctx, h.db, key, from, limit)
	if after == nil && booking.IsReason(err, booking.ReasonSequenceOutOfRange) {
		return h.List(ctx, key, nil, limit) // pruned meanwhile: another one is the oldest
	}
	if len(entries) > 0 {
		bounds.Head = max(bounds.Head, entries[len(entries)-1].Sequence)
	}
	return entries, bounds.Head, err
}
