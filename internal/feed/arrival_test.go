package feed_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
)

// crowd is many users with feeds of different lengths.
type crowd struct {
	pool  *pgxpool.Pool
	users []*feedtest.Writer
}

func newCrowd(t *testing.T, size int) (crowd, hub, *counting) {
	t.Helper()
	pool := pgtest.New(t)
	all := crowd{pool: pool}
	for i := range size {
		w := feedtest.NewWriter(t, pool, fmt.Sprint("provider ", i), fmt.Sprint("customer ", i))
		if i > 0 {
			w.Fill(i)
		}
		all.users = append(all.users, w)
	}
	db := &counting{DBTX: pool}
	return all, startHubOver(t, db, nil, never), db
}

// stopReading lets nobody read feeds until it is called back.
func (c crowd) stopReading(t *testing.T) (goOn func()) {
	t.Helper()
	lock, err := c.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE feeds IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }
}

func TestReadersThatComeTogetherAreAnsweredByFewReadingsEachItsOwn(t *testing.T) {
	t.Parallel()
	const users = 150
	all, h, db := newCrowd(t, users)
	goOn := all.stopReading(t)
	defer goOn()
	before := db.queries.Load()
	subscriptions, errs := make([]*feed.Subscription, users), make([]error, users)
	done := make(chan struct{})
	go func() {
		defer close(done)
		inParallel(users, func(i int) {
			after := number(int64(i / 2))
			subscriptions[i], errs[i] = h.Subscribe(t.Context(), all.users[i].Provider, after, 0)
		})
	}()
	eventually(t, func() bool { return h.Readers() == users })
	goOn()
	<-done
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if n := db.queries.Load() - before; n > users/4 {
		t.Errorf("%d readers took %d queries", users, n)
	}
	for i, s := range subscriptions {
		record(t, s).wants(all.users[i].IDs(all.users[i].Provider)[i/2:])
		if t.Failed() {
			return
		}
	}
}

func TestEachReaderOfAGroupIsJudgedByItsOwnPoint(t *testing.T) {
	t.Parallel()
	all, h, _ := newCrowd(t, 6)
	ids := all.users[5].IDs(all.users[5].Provider)
	goOn := all.stopReading(t)
	defer goOn()
	cases := map[string]struct {
		key     feed.Key
		after   *feed.Point
		resumed bool
		next    []string
	}{
		"live":            {all.users[5].Provider, nil, false, nil},
		"from the start":  {all.users[5].Provider, number(0), true, ids},
		"with its id":     {all.users[5].Provider, &feed.Point{Sequence: 2, ID: ids[1]}, true, ids[2:]},
		"another id":      {all.users[5].Provider, &feed.Point{Sequence: 2, ID: ids[2]}, false, nil},
		"at the head":     {all.users[5].Provider, number(5), true, nil},
		"ahead":           {all.users[5].Provider, number(6), false, nil},
		"an empty feed":   {all.users[0].Provider, number(0), true, nil},
		"a feed not made": {feed.Key{Role: booking.RoleProvider, User: "nobody"}, number(0), true, nil},
	}
	type begun struct {
		name string
		s    *feed.Subscription
		err  error
	}
	results := make(chan begun, len(cases))
	for name, c := range cases {
		go func() {
			s, err := h.Subscribe(t.Context(), c.key, c.after, 0)
			results <- begun{name, s, err}
		}()
	}
	eventually(t, func() bool { return h.Readers() == len(cases) })
	goOn()
	for range cases {
		got := <-results
		if got.err != nil {
			t.Fatal(got.err)
		}
		want := cases[got.name]
		if refused := got.s.Refusal != nil; got.s.Resumed != want.resumed || refused != (want.after != nil && !want.resumed) {
			t.Errorf("%s: resumed %v, refused with %v", got.name, got.s.Resumed, got.s.Refusal)
		}
		record(t, got.s).wants(want.next)
	}
}

func TestOneWhoLeavesTakesNobodyAlong(t *testing.T) {
	t.Parallel()
	all, h, _ := newCrowd(t, 3)
	goOn := all.stopReading(t)
	defer goOn()
	ctx, cancel := context.WithCancelCause(t.Context())
	left, stayed := make(chan error, 1), make(chan *feed.Subscription, 1)
	go func() {
		_, err := h.Subscribe(ctx, all.users[1].Provider, nil, 0)
		left <- err
	}()
	go func() {
		s, err := h.Subscribe(t.Context(), all.users[2].Provider, number(0), 0)
		if err != nil {
			t.Error(err)
		}
		stayed <- s
	}()
	eventually(t, func() bool { return h.Readers() == 2 })
	gone := errors.New("gone")
	cancel(gone)
	if err := <-left; !errors.Is(err, gone) {
		t.Errorf("it left with %v", err)
	}
	goOn()
	if s := <-stayed; s != nil {
		record(t, s).wants(slices.Clone(all.users[2].IDs(all.users[2].Provider)))
	}
}
