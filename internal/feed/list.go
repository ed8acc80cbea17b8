package feed

import (
	"context"
	"slices"

	"bookings/internal/booking"
)

const (
	// scanPage is how many entries are read at a time to find those of the types
	// asked for, and maxScanned after how many a page ends with what it has: one of
	// a rare type could else read the whole feed.
	scanPage   = 500
	maxScanned = 10 * scanPage
)

// Page is a part of a feed.
type Page struct {
	Entries []Entry
	// Head is the feed's newest entry.
	Head Point
	// Through is the last entry that was looked at, whatever its type: the next page
	// begins after it.
	Through Point
}

// List reads a page of a feed after a point, or from the oldest entry kept where
// that is nil: at most limit entries of the types named, of all where none is. A
// page may have fewer, or none, though more follow Through. It fails as
// Bounds.Check does.
func (h *Hub) List(ctx context.Context, key Key, after *Point, types []booking.EventType, limit int) (Page, error) {
	bounds, err := ReadBounds(ctx, h.db, key, after)
	if err == nil && after != nil {
		err = bounds.Check(*after)
	}
	page := Page{Head: bounds.Head, Through: bounds.Asked}
	size := limit
	if len(types) > 0 {
		size = scanPage
	}
	for scanned := 0; err == nil && !page.ends(limit) && scanned < maxScanned; scanned += size {
		err = h.scan(ctx, key, &page, types, size, limit)
	}
	if after == nil && booking.IsReason(err, booking.ReasonSequenceOutOfRange) {
		return h.List(ctx, key, nil, types, limit) // pruned meanwhile: another one is the oldest
	}
	return page, err
}

func (p *Page) ends(limit int) bool {
	return len(p.Entries) == limit || p.Through.Sequence >= p.Head.Sequence
}

// scan reads what follows and takes what is of the types.
func (h *Hub) scan(ctx context.Context, key Key, page *Page, types []booking.EventType, size, limit int) error {
	entries, err := readNext(ctx, h.db, key, page.Through, size)
	for _, entry := range entries {
		if len(page.Entries) == limit {
			break
		}
		page.Through = entry.point()
		if entry.IsOf(types) {
			page.Entries = append(page.Entries, entry)
		}
	}
	if page.Through.Sequence > page.Head.Sequence {
		page.Head = page.Through
	}
	return err
}

// IsOf tells whether the entry is of one of the types; where none is named, it is.
func (e Entry) IsOf(types []booking.EventType) bool {
	return len(types) == 0 || slices.Contains(types, e.Type)
}
