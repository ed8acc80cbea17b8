package bookings

import (
	"context"
	"fmt"
)

// Place is how far a reader is in a feed: the number of its last entry, and the id,
// which proves that the feed still has the same history. The zero Place is the beginning.
type Place struct {
	Sequence int64  `json:"sequence"`
	ID       string `json:"id"`
}

// String names the entry.
func (p Place) String() string { return fmt.Sprintf("entry %d (%s)", p.Sequence, p.ID) }

// Store keeps one feed's place for one reader: in a FileStore, or, best, in the database
// that the reader writes to, in the same transaction.
type Store interface {
	// Load returns the place that was kept; nil where none was.
	Load(ctx context.Context) (*Place, error)
	// Save keeps a place instead of the one before.
	Save(ctx context.Context, place Place) error
}
