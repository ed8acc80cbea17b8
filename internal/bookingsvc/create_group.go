package bookingsvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/feed"
	"bookings/internal/gather"
	"bookings/internal/pgbatch"
)

const (
	// groupSize is how many bookings a group has at most. Twice as many would cost each
	// a sixth less, and their feeds would be locked for twice as long.
	groupSize = 8
	// maxGroups is how many groups one process writes at a time.
	maxGroups = 4
	// groupTimeout bounds a group, for which others may wait. It leaves each of them time
	// to be written alone in what a call may take.
	groupTimeout = 3 * time.Second
)

// createGroup is bookings of different providers that are written in one transaction.
// Most of what a booking costs PostgreSQL is a transaction, and the beginning of each
// statement: of eight together, each costs half of one alone. Nobody waits for others to
// come: a group is made of those who have come while another was written (gather.Queue).
//
// A group waits for nobody. A booking of which a feed is locked by somebody else, or is
// not there yet, is left to be written alone, so that no caller waits for the locks that
// another one needs. For the rest it is as with a booking alone (newBooking): the
// statements tell what became of each.
type createGroup []*member

// member is a booking that is to be written in a group.
type member struct {
	*newBooking

	jobs pgbatch.Batch // their insertion

	// What became of it: nothing where it is to be written alone.
	written bool
	err     error
}

// write writes a booking, or what keeps it from being made, and publishes its event. A
// booking is written alone where no other is at that moment, and where its provider is
// busy: it could only wait. All others are written together.
func (s *Service) write(ctx context.Context, n *newBooking) error {
	if s.alone.Load() > 0 && !s.Pool.Busy(n.booking.ProviderID) {
		if written, err := s.writeTogether(ctx, n); written || err != nil {
			return err
		}
	}
	s.alone.Add(1)
	defer s.alone.Add(-1)
	err := s.Pool.AsTx(ctx, n.booking.ProviderID, func(batch *pgbatch.Batch) error { return n.queue(ctx, batch) })
	if err == nil {
		s.Feeds.Publish(n.entries)
	}
	return err
}

// writeTogether has a booking written in a group, and reports whether it was.
func (s *Service) writeTogether(ctx context.Context, n *newBooking) (written bool, err error) {
	m := &member{newBooking: n}
	if err := insertJobs(ctx, &m.jobs, n.client, n.booking); err != nil {
		return false, err
	}
	select {
	case <-s.groups.Add(ctx, m, gather.Runners[*member]{Most: maxGroups, Size: groupSize, Work: s.writeGroup}):
		return m.written, m.err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// writeGroup writes what it can of a group, and publishes it in the group's order. A group
// that fails before its commit has written nothing: each is left to be written alone, so
// that what is wrong with one, or with a connection, is nothing to the others. Where
// a commit fails and PostgreSQL does not say that it is taken back, as when the
// connection is lost, its bookings have failed: a second try could meet the first.
func (s *Service) writeGroup(ctx context.Context, all []*member) {
	ctx, cancel := context.WithTimeout(ctx, groupTimeout)
	defer cancel()
	var free createGroup
	complete := false
	err := gather.Recovering(func() error {
		group := oneOfEachProvider(all)
		return s.Pool.TryAfter(ctx, group.lock(&free), func(tx pgx.Tx) error {
			err := free.insert(ctx, tx)
			complete = err == nil
			return err
		})
	})
	if err != nil && (!complete || rolledBack(err)) {
		s.Log.WarnContext(ctx, "a group of bookings has failed: each of them is written alone", "bookings", len(all), "error", err)
		return
	}
	for _, m := range free {
		m.written, m.err = err == nil, err
		if m.written {
			s.Feeds.Publish(m.entries)
		}
	}
}

// rolledBack reports whether PostgreSQL says that it has taken a transaction back.
func rolledBack(err error) bool {
	failed, ok := errors.AsType[*pgconn.PgError](err)
	return ok && failed.SeverityUnlocalized == "ERROR"
}

// oneOfEachProvider leaves the second one of a provider: it has to see what the first
// has done.
func oneOfEachProvider(all []*member) (group createGroup) {
	seen := make(map[string]bool, len(all))
	for _, m := range all {
		if !seen[m.booking.ProviderID] {
			seen[m.booking.ProviderID] = true
			group = append(group, m)
		}
	}
	return group
}

// lock locks the feeds of a group. free are those that have both of theirs.
func (g createGroup) lock(free *createGroup) func(*pgbatch.Batch) error {
	var params sqlc.FeedLockFreeParams
	for _, m := range g {
		params.ProviderIds = append(params.ProviderIds, m.booking.ProviderID)
		params.CustomerIds = append(params.CustomerIds, m.booking.CustomerID)
	}
	return func(batch *pgbatch.Batch) error {
		pgbatch.Query(batch, queries.FeedLockFree, params, func(rows []sqlc.FeedLockFreeRow) { *free = g.locked(rows) })
		return nil
	}
}

func (g createGroup) locked(rows []sqlc.FeedLockFreeRow) (free createGroup) {
	locked := make(map[feed.Key]bool, len(rows))
	for _, row := range rows {
		locked[feed.Key{Role: booking.Role(row.Role), User: row.UserID}] = true
	}
	for _, m := range g {
		b := m.booking
		if locked[feed.Key{Role: booking.RoleProvider, User: b.ProviderID}] && locked[feed.Key{Role: booking.RoleCustomer, User: b.CustomerID}] {
			free = append(free, m)
		}
	}
	return free
}

// insert writes a group whose feeds are locked, in one round trip.
func (g createGroup) insert(ctx context.Context, tx pgx.Tx) error {
	if len(g) == 0 {
		return nil
	}
	var batch pgbatch.Batch
	var params sqlc.BookingInsertParams
	events := make([]booking.Event, len(g))
	for i, m := range g {
		params.MaxPending = m.maxPending
		bookingdb.AddInsert(&params, m.booking, m.key, m.fingerprint)
		events[i] = m.event
	}
	pgbatch.Query(&batch, queries.BookingInsert, params, g.setInserted)
	for _, m := range g {
		batch.Join(&m.jobs)
	}
	var entries [][]feed.Entry
	feed.AppendMany(&batch, events, &entries)
	if err := batch.Send(ctx, tx); err != nil {
		return fmt.Errorf("insert %d bookings: %w", len(g), err)
	}
	for i, m := range g {
		m.entries = entries[i]
	}
	return nil
}

func (g createGroup) setInserted(rows []sqlc.BookingInsertRow) {
	byID := make(map[uuid.UUID]sqlc.BookingInsertRow, len(rows))
	for _, row := range rows {
		byID[row.ID] = row
	}
	for _, m := range g {
		m.inserted = byID[m.booking.ID]
	}
}
