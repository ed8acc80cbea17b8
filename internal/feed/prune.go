package feed

import (
	"context"
	"fmt"
	"time"

	"bookings/gen/sqlc"
)

const (
	// pruneFeeds is how many feeds are looked up at a time.
	pruneFeeds = 100
	// pruneEntries is how many entries are removed in one transaction.
	pruneEntries = 1000
)

// Prune removes from every feed the prefix of entries that happened before the
// given time, in small transactions, and records how far each feed is pruned.
// It returns how many entries are gone. Histories of bookings stay.
func Prune(ctx context.Context, db sqlc.DBTX, before time.Time) (removed int64, err error) {
	for {
		feeds, err := new(sqlc.Queries).FeedsToPrune(ctx, db, sqlc.FeedsToPruneParams{Before: before, PageSize: pruneFeeds})
		if err != nil {
			return removed, fmt.Errorf("look for feeds to prune: %w", err)
		}
		for _, feed := range feeds {
			n, err := prune(ctx, db, feed, before)
			if removed += n; err != nil {
				return removed, fmt.Errorf("prune a feed: %w", err)
			}
		}
		if len(feeds) < pruneFeeds {
			return removed, nil
		}
	}
}

func prune(ctx context.Context, db sqlc.DBTX, feed sqlc.FeedsToPruneRow, before time.Time) (removed int64, err error) {
	for {
		n, err := new(sqlc.Queries).FeedPrune(ctx, db, sqlc.FeedPruneParams{
			Role: feed.Role, UserID: feed.UserID, Before: before, PageSize: pruneEntries,
		})
		if removed += n; err != nil || n < pruneEntries {
			return removed, err
		}
	}
}
