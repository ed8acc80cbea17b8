package feed

import (
	"context"
	"fmt"
	"time"

	"bookings/gen/sqlc"
)

// The feed of everything is numbered after the commit, not in the writers'
// transactions as users' feeds are: all writers would wait for its one row. A
// transaction leaves its event in the outbox, and each instance moves what it
// finds there into the feed; the feed's row is the lock that makes them one
// sequencer. A step is one statement, so an instance that is killed leaves it done
// or undone, and there is no leader to elect or to lose.

const (
	// gatherWritten is how long after a commit here the next step begins, so that
	// what is committed meanwhile is moved along; gatherHeard how long after one
	// elsewhere, which its own instance has nearly always moved by then.
	gatherWritten = 5 * time.Millisecond
	gatherHeard   = 50 * time.Millisecond
	// stepInterval is how far apart steps begin at least that follow commits here. While
	// many are made it lets a step move more: a tenth of what they cost PostgreSQL.
	stepInterval = 25 * time.Millisecond
	// idleStep is how often there is a step where nothing is heard: an instance that
	// has died after a commit tells nobody of it.
	idleStep = time.Second
	// stepSize is how many events are moved at a time.
	stepSize = 500
)

// sequence makes steps until the context ends.
func (h *Hub) sequence(ctx context.Context) {
	begun := time.Now()
	next := begun.Add(idleStep)
	timer := time.NewTimer(idleStep)
	defer timer.Stop()
	for {
		select {
		case <-h.written:
			next = soonest(next, max(gatherWritten, time.Until(begun.Add(stepInterval))))
		case <-h.heard:
			next = soonest(next, gatherHeard)
		case <-timer.C:
			begun = time.Now()
			next = begun.Add(idleStep)
			h.moveAll(ctx)
		case <-ctx.Done():
			return
		}
		timer.Reset(time.Until(next))
	}
}

func soonest(next time.Time, in time.Duration) time.Time {
	if other := time.Now().Add(in); other.Before(next) {
		return other
	}
	return next
}

// moveAll makes steps until the outbox is empty. What cannot be moved now stays
// for a later one.
func (h *Hub) moveAll(ctx context.Context) {
	for ctx.Err() == nil {
		moved, err := h.step(ctx)
		if err != nil && ctx.Err() == nil {
			h.unmoved.Do(func() { h.log.Warn("events cannot be moved into the feed of everything: they wait", "error", err) })
		}
		if moved < stepSize {
			return
		}
	}
}

// step moves the oldest events of the outbox into the feed of everything, tells
// their readers, and returns how many there were.
func (h *Hub) step(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	rows, err := new(sqlc.Queries).FeedSequence(ctx, h.db, stepSize)
	if err != nil {
		return 0, fmt.Errorf("move events into the feed of everything: %w", err)
	}
	for _, row := range rows {
		h.tell([]Entry{fromRow(All, sqlc.FeedReadRow(row))})
	}
	return len(rows), nil
}
