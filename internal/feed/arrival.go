package feed

import (
	"context"
	"fmt"
	"sync"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/pgerror"
)

const (
	// maxTogether is how many readers that begin are answered by one reading.
	maxTogether = 64
	// maxGroups is how many such readings there are at a time. While they go on the
	// next readers gather: the more there are, the less each costs.
	maxGroups = 2
)

// arrival is a reader that begins: what it asks PostgreSQL, and the answer, which is
// there once done is closed.
type arrival struct {
	key   Key
	after *Point

	bounds Bounds
	// page are the first entries after the point; empty where there are none, or the
	// reader cannot go on there.
	page []Entry
	err  error
	done chan struct{}
}

// arrivals are the readers that wait for their beginning. When an instance is
// restarted thousands come back at once; each of them alone would be two statements.
type arrivals struct {
	mu      sync.Mutex
	waiting []*arrival
	groups  int
}

// arrive asks for a reader's beginning, together with all who wait for theirs.
func (h *Hub) arrive(key Key, after *Point) *arrival {
	a := &arrival{key: key, after: after, done: make(chan struct{})}
	h.arrivals.mu.Lock()
	defer h.arrivals.mu.Unlock()
	h.arrivals.waiting = append(h.arrivals.waiting, a)
	if h.arrivals.groups < maxGroups {
		h.arrivals.groups++
		go h.answerArrivals()
	}
	return a
}

// answerArrivals answers all who wait, a group at a time. They may have left, but
// nobody else's reading is cut short for that.
func (h *Hub) answerArrivals() {
	for group := h.nextGroup(); len(group) > 0; group = h.nextGroup() {
		h.reading <- struct{}{}
		err := h.answer(group)
		<-h.reading
		for _, a := range group {
			a.err = err
			close(a.done)
		}
	}
}

func (h *Hub) nextGroup() []*arrival {
	h.arrivals.mu.Lock()
	defer h.arrivals.mu.Unlock()
	size := min(len(h.arrivals.waiting), maxTogether)
	group := h.arrivals.waiting[:size:size]
	h.arrivals.waiting = h.arrivals.waiting[size:]
	if size == 0 {
		h.arrivals.waiting = nil
		h.arrivals.groups--
	}
	return group
}

func (h *Hub) answer(group []*arrival) error {
	ctx, cancel := context.WithTimeout(context.Background(), readDeadline)
	defer cancel()
	if err := readManyBounds(ctx, h.db, group); err != nil {
		return err
	}
	return readManyPages(ctx, h.db, group)
}

func readManyBounds(ctx context.Context, db sqlc.DBTX, group []*arrival) error {
	var wanted sqlc.FeedsBoundsParams
	for _, a := range group {
		number := int64(-1)
		if a.after != nil {
			number = a.after.Sequence
		}
		wanted.Roles, wanted.UserIds = append(wanted.Roles, string(a.key.Role)), append(wanted.UserIds, a.key.User)
		wanted.Numbers = append(wanted.Numbers, number)
	}
	rows, err := new(sqlc.Queries).FeedsBounds(ctx, db, wanted)
	if err != nil {
		return pgerror.Explain(fmt.Errorf("read heads of feeds: %w", err))
	}
	for _, row := range rows {
		group[row.Place-1].bounds = Bounds{
			Head:          Point{Sequence: row.Head, ID: row.NewestID},
			PrunedThrough: row.PrunedThrough,
			Asked:         Point{Sequence: row.Asked, ID: row.AskedID},
		}
	}
	return nil
}

// resumes tells whether the reader goes on after the point, and something follows.
func (a *arrival) resumes() bool {
	return a.after != nil && a.bounds.Check(*a.after) == nil && a.after.Sequence < a.bounds.Head.Sequence
}

// readManyPages reads after the bounds, so that an entry of a page need not be within
// them. That it follows on the reader's point is proof of its own.
func readManyPages(ctx context.Context, db sqlc.DBTX, group []*arrival) error {
	wanted := sqlc.FeedsReadParams{PageSize: pageSize}
	var asking []*arrival
	for _, a := range group {
		if a.resumes() {
			asking = append(asking, a)
			wanted.Roles, wanted.UserIds = append(wanted.Roles, string(a.key.Role)), append(wanted.UserIds, a.key.User)
			wanted.Afters = append(wanted.Afters, a.after.Sequence)
		}
	}
	if len(asking) == 0 {
		return nil
	}
	rows, err := new(sqlc.Queries).FeedsRead(ctx, db, wanted)
	if err != nil {
		return pgerror.Explain(fmt.Errorf("read feeds: %w", err))
	}
	for _, row := range rows {
		a := asking[row.Place-1]
		a.page = append(a.page, Entry{
			Key: a.key, Sequence: row.Sequence, ID: row.ID.String(), PreviousID: row.PreviousID,
			Type: booking.EventType(row.Type), BookingID: row.BookingID.String(), Time: row.Time, Data: []byte(row.Data),
			stored: true,
		})
	}
	return nil
}
