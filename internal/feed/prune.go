package feed

import (
	"context"
	"fmt"
	"time"

	"bookings/gen/sqlc"
)

// pruneStatements is how many statements a round of pruning has: seconds, at
// worst. Each is a transaction, of 100 feeds and 50 entries of each at most.
const pruneStatements = 20

// Prune works one round: it removes from feeds the prefix of entries that
// happened before the given time, and records how far each is pruned. It tells
// how many entries are gone, and whether there may be more. Histories of bookings
// stay.
//
// It begins with the feeds that nobody has looked at for longest, by an index,
// and moves each on to the time of its first entry that is left. So it never
// reads a feed in which nothing is old, and a round goes on where the last ended,
// also where that was cut off.
func Prune(ctx context.Context, db sqlc.DBTX, before time.Time) (removed int64, more bool, err error) {
	for range pruneStatements {
		pruned, err := new(sqlc.Queries).FeedsPrune(ctx, db, before)
		if err != nil {
			return removed, true, fmt.Errorf("prune feeds: %w", err)
		}
		if pruned.Feeds == 0 {
			return removed, false, nil
		}
		removed += pruned.Entries
	}
	return removed, true, nil
}
