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

// Bounds are the ends of a feed, and one entry that was asked for.
type Bounds struct {
	// Head is the newest entry; number 0 for none.
	Head Point
	// PrunedThrough is the number up to which entries have been removed.
	PrunedThrough int64
	// Asked is the entry with the number asked for, also where it is pruned and
	// only the one after it is left; its id is empty where neither is there.
	Asked Point
}

// ReadBounds reads a feed's ends, and the entry with the number of a point; where
// that is nil, the one before the oldest that is kept. A feed that nothing was
// written to has zeros.
func ReadBounds(ctx context.Context, db sqlc.DBTX, key Key, after *Point) (Bounds, error) {
	wanted := sqlc.FeedBoundsParams{Role: string(key.Role), UserID: key.User}
	if after != nil {
		wanted.Number = &after.Sequence
	}
	row, err := new(sqlc.Queries).FeedBounds(ctx, db, wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return Bounds{}, nil
	}
	if err != nil {
		return Bounds{}, pgerror.Explain(fmt.Errorf("read a feed's head: %w", err))
	}
	return Bounds{
		Head:          Point{Sequence: row.Head, ID: row.NewestID},
		PrunedThrough: row.PrunedThrough,
		Asked:         Point{Sequence: row.Asked, ID: row.AskedID},
	}, nil
}

// ErrOtherHistory is a SEQUENCE_OUT_OF_RANGE of a reader whose last entry is not
// in the feed: the database has been restored from an older copy, or a standby
// without the last commits has taken over.
var ErrOtherHistory = errors.New("the feed has another history")

// Check fails with SEQUENCE_OUT_OF_RANGE where a reader cannot go on after the
// entry that was asked for: because what follows is pruned, or, with
// ErrOtherHistory, because the feed does not have that entry.
func (b Bounds) Check(after Point) error {
	switch {
	case after.Sequence < b.PrunedThrough:
		return b.outOfRange("the feed goes from %d to %d", b.PrunedThrough+1, b.Head.Sequence)
	case after.Sequence > b.Head.Sequence:
		err := b.outOfRange("the feed goes from %d to %d", b.PrunedThrough+1, b.Head.Sequence)
		return fmt.Errorf("%w: %w", ErrOtherHistory, err)
	case b.contradicts(after):
		err := b.outOfRange("entry %d of the feed is another one: its history has changed", after.Sequence)
		return fmt.Errorf("%w: %w", ErrOtherHistory, err)
	}
	return nil
}

// contradicts tells whether the feed has another entry under the point's number.
// Where the entry after it, which would tell, is missing, nobody can say.
func (b Bounds) contradicts(after Point) bool {
	known := b.Asked.ID != "" || after.Sequence == 0
	return after.ID != "" && known && after.ID != b.Asked.ID
}

func (b Bounds) outOfRange(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	err := booking.Errorf(booking.ReasonSequenceOutOfRange, "%s: list the bookings and go on after its head", message)
	err.Metadata = map[string]string{"head": strconv.FormatInt(b.Head.Sequence, 10)}
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
		entries = append(entries, fromRow(key, row))
	}
	return entries, nil
}

func fromRow(key Key, row sqlc.FeedReadRow) Entry {
	return Entry{
		Key: key, Sequence: row.Sequence, ID: row.ID.String(), PreviousID: row.PreviousID,
		Type: booking.EventType(row.Type), BookingID: row.BookingID.String(), Time: row.Time, Data: row.Data,
		stored: true,
	}
}

// errMissing is a feed without one of its numbers: our fault, and nobody's rule.
var errMissing = errors.New("an entry is missing")

// readNext is Read that leaves nothing out: what it returns begins with the
// entry after the given one and has no holes, or is empty where the feed ends
// there. It fails as Bounds.Check does, also where what follows is pruned while
// it is being read, and with errMissing where it should be there and is not.
//
// Entries and bounds are read one after the other, and the feed may grow or be
// pruned in between. So bounds that contradict what was read are no proof at
// first; but what they say is there must be there at the second reading, unless
// its bounds say that it was pruned.
func readNext(ctx context.Context, db sqlc.DBTX, key Key, after Point, limit int) ([]Entry, error) {
	for range 2 {
		entries, err := Read(ctx, db, key, after.Sequence, limit)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 && after.leadsTo(entries[0]) {
			return upToHole(entries), nil
		}
		bounds, err := ReadBounds(ctx, db, key, &after)
		if err != nil {
			return nil, err
		}
		if err := bounds.Check(after); err != nil || bounds.Head == after {
			return nil, err
		}
	}
	return nil, fmt.Errorf("feed %s, number %d: %w", key.Source(), after.Sequence+1, errMissing)
}

// upToHole are the entries that follow on each other without a hole: who goes
// on after the last of them meets it.
func upToHole(entries []Entry) []Entry {
	for i, entry := range entries[1:] {
		if !entries[i].point().leadsTo(entry) {
			return entries[:i+1]
		}
	}
	return entries
}
