package bookings_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	bookings "bookings/clients/go"
	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/cabletest"
	"bookings/internal/pgtest"
)

// beginning is the place before the first event.
var beginning = &bookings.Place{}

// reading is a loop over a feed, in a goroutine.
type reading struct {
	mu     sync.Mutex
	events []*bookingsv1.Event
	resets []*bookings.ResetError
	err    error
	ended  chan struct{}
	stop   context.CancelFunc
}

// read ranges over a feed until the test ends.
func read(t *testing.T, feed *bookings.Feed) *reading {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reading{ended: make(chan struct{}), stop: cancel}
	go func() {
		defer close(r.ended)
		for event, err := range feed.Events(ctx) {
			r.take(event, err)
		}
	}()
	t.Cleanup(func() { cancel(); <-r.ended })
	return r
}

func (r *reading) take(event *bookingsv1.Event, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reset, ok := errors.AsType[*bookings.ResetError](err); ok {
		r.resets = append(r.resets, reset)
	} else if err != nil {
		r.err = err
	} else {
		r.events = append(r.events, event)
	}
}

// has waits until so many events have come, and returns all.
func (r *reading) has(t *testing.T, count int) []*bookingsv1.Event {
	t.Helper()
	var all []*bookingsv1.Event
	pgtest.Eventually(t, fmt.Sprintf("%d events", count), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		all = r.events
		return len(all) >= count
	})
	return all
}

// isWhole fails unless the events are those of these bookings' creation, numbered from 1.
func isWhole(t *testing.T, events []*bookingsv1.Event, booked []string) {
	t.Helper()
	if len(events) != len(booked) {
		t.Errorf("%d events came of %d", len(events), len(booked))
		return
	}
	before := ""
	for i, event := range events {
		if event.GetSequence() != int64(i+1) || event.GetPreviousId() != before || event.GetSubject() != booked[i] {
			t.Errorf("as number %d came %v", i+1, event)
		}
		before = event.GetId()
	}
}

func TestAFeedBringsEachEventOnceInOrderWhateverIsCut(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	s := start(t, databaseURL)
	wire := cabletest.New(t, s.address)
	bob, all := as(t, wire.URL(), booking.RoleProvider, "bob"), service(t, wire.URL())
	readings := map[string]*reading{
		"/bookings/feeds/provider/bob":   read(t, bob.Feed(bookings.FeedOptions{After: beginning})),
		"/bookings/feeds/customer/alice": read(t, all.Feed(bookings.FeedOptions{After: beginning, Role: bookingsv1.Role_ROLE_CUSTOMER, UserID: "alice"})),
		"/bookings/feeds/all":            read(t, all.Feed(bookings.FeedOptions{After: beginning})),
	}
	var booked []string
	more := func() {
		direct := service(t, s.url())
		for range 5 {
			booked = append(booked, book(t, direct, len(booked)+1).GetId())
		}
	}
	restart := func(how syscall.Signal) func() {
		return func() {
			s.end(how)
			s = start(t, databaseURL)
			wire.Lead(s.address)
		}
	}
	for _, fault := range []func(){
		func() {},
		func() { wire.Lead(s.address) }, // in the middle
		func() { wire.Lead(""); more(); wire.Lead(s.address) },
		restart(syscall.SIGTERM),
		restart(syscall.SIGKILL),
	} {
		more()
		fault()
	}
	more()
	for source, r := range readings {
		events := r.has(t, len(booked))
		isWhole(t, events, booked)
		if events[0].GetSource() != source {
			t.Errorf("%s came from the feed %s", events[0].GetSource(), source)
		}
	}
}

func TestAFeedGoesOnBeyondTheEndOfItsToken(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	var asked atomic.Int64
	bob := client(t, bookings.Options{URL: s.url(), Token: func(context.Context) (bookings.Token, error) {
		asked.Add(1)
		return bookings.Token{Value: token(t, booking.RoleProvider, "bob", 2*time.Second)}, nil
	}})
	r := read(t, bob.Feed(bookings.FeedOptions{After: beginning}))
	direct := service(t, s.url())
	var booked []string
	for day := range 3 {
		before := asked.Load()
		booked = append(booked, book(t, direct, day+1).GetId())
		pgtest.Eventually(t, "another token", func() bool { return asked.Load() > before })
	}
	booked = append(booked, book(t, direct, 4).GetId())
	isWhole(t, r.has(t, len(booked)), booked)
}

func TestAFeedWhoseTokenIsRefusedAsksForAnother(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	good := token(t, booking.RoleProvider, "bob", time.Hour)
	var asked atomic.Int64
	bob := client(t, bookings.Options{URL: s.url(), Token: func(context.Context) (bookings.Token, error) {
		if asked.Add(1) == 1 {
			return bookings.Token{Value: good + "x"}, nil
		}
		return bookings.Token{Value: good}, nil
	}})
	r := read(t, bob.Feed(bookings.FeedOptions{After: beginning}))
	booked := book(t, service(t, s.url()), 1).GetId()
	isWhole(t, r.has(t, 1), []string{booked})
}

func TestAFeedOutlivesATokenSourceThatIsAway(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	var asked, cuts atomic.Int64
	bob := client(t, bookings.Options{URL: s.url(), Token: func(context.Context) (bookings.Token, error) {
		if asked.Add(1) < 3 {
			return bookings.Token{}, errors.New("the identity provider is away")
		}
		return bookings.Token{Value: token(t, booking.RoleProvider, "bob", time.Hour)}, nil
	}})
	r := read(t, bob.Feed(bookings.FeedOptions{After: beginning, OnCut: func(error, time.Duration) { cuts.Add(1) }}))
	booked := book(t, service(t, s.url()), 1).GetId()
	isWhole(t, r.has(t, 1), []string{booked})
	if cuts.Load() != 2 {
		t.Errorf("%d cuts were told", cuts.Load())
	}
}

func TestAFeedTellsOfAnotherHistoryAndGoesOnInIt(t *testing.T) {
	t.Parallel()
	one, another := start(t, pgtest.URL(t)), start(t, pgtest.URL(t))
	wire := cabletest.New(t, one.address)
	store := bookings.FileStore(filepath.Join(t.TempDir(), "place"))
	bob := as(t, wire.URL(), booking.RoleProvider, "bob")
	r := read(t, bob.Feed(bookings.FeedOptions{After: beginning, Store: store}))
	book(t, service(t, one.url()), 1)
	last := r.has(t, 1)[0]

	direct := service(t, another.url())
	book(t, direct, 1) // as many as in the first
	wire.Lead(another.address)
	pgtest.Eventually(t, "a reset", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.resets) == 1
	})
	reset := r.resets[0]
	if reset.Lost != (bookings.Place{Sequence: 1, ID: last.GetId()}) || reset.Head.Sequence != 1 || reset.Head.ID == last.GetId() ||
		bookings.Reason(reset) != bookings.ReasonSequenceOutOfRange || !strings.Contains(reset.Error(), "entry 1 ") {
		t.Errorf("it was told %+v", reset)
	}
	booked := book(t, direct, 2).GetId()
	if next := r.has(t, 2)[1]; next.GetSubject() != booked || next.GetSequence() != 2 || next.GetPreviousId() != reset.Head.ID {
		t.Errorf("it goes on with %v", next)
	}
}

func TestAResetIsToldAgainUntilTheLoopHasGoneOn(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	ahead := bookings.Place{Sequence: 9}
	store := bookings.FileStore(filepath.Join(t.TempDir(), "place"))
	if err := store.Save(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	feed := service(t, s.url()).Feed(bookings.FeedOptions{Store: store})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2 {
		told := false
		for event, err := range feed.Events(ctx) {
			told = true
			reset, ok := errors.AsType[*bookings.ResetError](err)
			if !ok || reset.Lost != ahead {
				t.Errorf("it was told %v, %v", event, err)
			}
			break
		}
		if !told {
			t.Error("it was not told")
		}
		if kept, err := store.Load(t.Context()); err != nil || *kept != ahead {
			t.Errorf("the place kept is %v, %v", kept, err)
		}
	}
}

func TestAnEventComesAgainUntilTheLoopHasAskedForTheNext(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	c := service(t, s.url())
	for day := range 3 {
		book(t, c, day+1)
	}
	store := bookings.FileStore(filepath.Join(t.TempDir(), "place"))
	// Each is as after a restart: all that it has is the store.
	loop := func(until int64, left bool) (seen []int64) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for event, err := range c.Feed(bookings.FeedOptions{After: beginning, Store: store}).Events(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, event.GetSequence())
			if event.GetSequence() == until && left {
				break
			}
			if event.GetSequence() == until {
				cancel()
			}
		}
		return seen
	}
	for i, step := range []struct {
		until int64
		left  bool
		want  string
	}{{2, true, "[1 2]"}, {2, false, "[2]"}, {3, false, "[3]"}} {
		if seen := fmt.Sprint(loop(step.until, step.left)); seen != step.want {
			t.Errorf("loop %d saw %s, not %s", i+1, seen, step.want)
		}
	}
}

func TestAFeedWithoutAPlaceBeginsNowAndKeepsThat(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	c := as(t, s.url(), booking.RoleProvider, "bob")
	book(t, service(t, s.url()), 1)
	store := bookings.FileStore(filepath.Join(t.TempDir(), "place"))
	connected := make(chan int64, 1)
	r := read(t, c.Feed(bookings.FeedOptions{Store: store, OnConnected: func(head int64) { connected <- head }}))
	if head := <-connected; head != 1 {
		t.Errorf("the head is %d", head)
	}
	r.stop()
	<-r.ended
	booked := book(t, service(t, s.url()), 2).GetId() // while nobody reads
	r = read(t, c.Feed(bookings.FeedOptions{Store: store}))
	if first := r.has(t, 1)[0]; first.GetSubject() != booked {
		t.Errorf("it began with %v", first)
	}
}

func TestAFeedOfFewTypesGetsOnByCheckpoints(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a checkpoint, 25 seconds")
	}
	s := start(t, pgtest.URL(t))
	c := service(t, s.url())
	book(t, c, 1)
	moved := make(chan bookings.Place, 10)
	feed := c.Feed(bookings.FeedOptions{After: beginning, Types: []string{"booking.no_show"}, Store: told{moved}})
	r := read(t, feed)
	select {
	case place := <-moved:
		if place.Sequence != 1 || place.ID == "" {
			t.Errorf("it got on to %v", place)
		}
	case <-time.After(patience):
		t.Fatal("it does not get on")
	}
	if r.stop(); len(r.events) != 0 {
		t.Errorf("it was sent %v", r.events)
	}
}

// told is a store that has nothing and tells what it should keep.
type told struct{ places chan bookings.Place }

func (told) Load(context.Context) (*bookings.Place, error) { return nil, nil }

func (s told) Save(_ context.Context, place bookings.Place) error {
	s.places <- place
	return nil
}

func TestAFeedEndsWhereAnotherTryCannotHelp(t *testing.T) {
	t.Parallel()
	s := start(t, pgtest.URL(t))
	bob := token(t, booking.RoleProvider, "bob", time.Hour)
	for name, test := range map[string]struct {
		token   string
		options bookings.FeedOptions
		reason  string
	}{
		"a bad token":             {bob + "x", bookings.FeedOptions{}, bookings.ReasonTokenInvalid},
		"somebody else's feed":    {bob, bookings.FeedOptions{Role: bookingsv1.Role_ROLE_CUSTOMER, UserID: "alice"}, bookings.ReasonNotAllowed},
		"a type that there isn't": {bob, bookings.FeedOptions{Types: []string{"booking.eaten"}}, bookings.ReasonValidationFailed},
		"a place that is unread":  {bob, bookings.FeedOptions{Store: bookings.FileStore(t.TempDir())}, ""},
		"a place that isn't kept": {bob, bookings.FeedOptions{Store: bookings.FileStore("/nowhere/place")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, bookings.Options{URL: s.url(), Token: bookings.StaticToken(test.token)})
			r := read(t, c.Feed(test.options))
			select {
			case <-r.ended:
			case <-time.After(patience):
				t.Fatal("it goes on")
			}
			if r.err == nil || bookings.Reason(r.err) != test.reason {
				t.Errorf("it ended with %v", r.err)
			}
		})
	}
}

func TestAFeedOutlivesAProxyThatHasLostTheServer(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	s := start(t, databaseURL)
	wire := cabletest.New(t, s.address)
	var cuts atomic.Int64
	r := read(t, service(t, wire.URL()).Feed(bookings.FeedOptions{After: beginning, OnCut: func(error, time.Duration) { cuts.Add(1) }}))
	booked := []string{book(t, service(t, s.url()), 1).GetId()}
	r.has(t, 1)

	proxy := http.Server{Handler: http.NotFoundHandler(), Protocols: bookings.Transport().Protocols}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = proxy.Serve(listener) }()
	defer proxy.Close()
	wire.Lead(listener.Addr().String())
	pgtest.Eventually(t, "an answer of the proxy", func() bool { return cuts.Load() >= 2 })
	wire.Lead(s.address)
	booked = append(booked, book(t, service(t, s.url()), 2).GetId())
	isWhole(t, r.has(t, 2), booked)
}
