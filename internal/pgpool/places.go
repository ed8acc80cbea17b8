package pgpool

import (
	"context"
	"sync"
	"time"

	"bookings/internal/booking"
)

const (
	// share is the part of a pool that transactions of one owner may hold: they
	// wait for each other's locks, and while one lasts the others would hold all
	// connections and do nothing with them.
	share = 4
	// placeTimeout bounds the wait for a place. It leaves time for the transaction
	// in what a call may take.
	placeTimeout = 5 * time.Second
)

// errBusy is the answer where an owner's transactions do not end.
var errBusy = booking.Errorf(booking.ReasonDatabaseUnavailable, "too many changes at this provider at once: try again")

// places are what owners may hold of a pool. An owner without transactions is
// forgotten.
type places struct {
	each int // the places of one owner

	mu     sync.Mutex
	owners map[string]*owner
}

type owner struct {
	taken chan struct{}
	users int // who hold a place or wait for one
}

func newPlaces(connections int32) *places {
	return &places{each: max(1, int(connections)/share), owners: map[string]*owner{}}
}

// take waits for a place of the owner's. It fails with DATABASE_UNAVAILABLE
// where none gets free in time, or as the context does.
func (p *places) take(ctx context.Context, name string) (giveBack func(), err error) {
	o := p.enter(name)
	if err = o.wait(ctx); err != nil {
		p.leave(name, o)
		return nil, err
	}
	return func() {
		<-o.taken
		p.leave(name, o)
	}, nil
}

// wait takes a place. One that is free costs no timer.
func (o *owner) wait(ctx context.Context) error {
	select {
	case o.taken <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(placeTimeout)
	defer timer.Stop()
	select {
	case o.taken <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// has reports whether an owner holds a place or waits for one.
func (p *places) has(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.owners[name]
	return known
}

func (p *places) enter(name string) *owner {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, known := p.owners[name]
	if !known {
		o = &owner{taken: make(chan struct{}, p.each)}
		p.owners[name] = o
	}
	o.users++
	return o
}

func (p *places) leave(name string, o *owner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.users--; o.users == 0 {
		delete(p.owners, name)
	}
}
