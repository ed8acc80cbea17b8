package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/cabletest"
	"bookings/internal/pgtest"
)

// connected waits until a listener has connected so many times.
func (p *process) connected(times int) {
	p.t.Helper()
	pgtest.Eventually(p.t, fmt.Sprintf("connection %d of a listener", times), func() bool {
		return strings.Count(p.stderr.String(), "connected") >= times
	})
}

// says waits for the end of a program that fails, and for what it says of it.
func (p *process) says(texts ...string) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("the program goes on; stderr:\n%s", p.stderr)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != exitFailure {
		p.t.Errorf("exit code is %d", code)
	}
	for _, text := range texts {
		if !strings.Contains(p.stderr.String(), text) {
			p.t.Errorf("stderr does not say %q:\n%s", text, p.stderr)
		}
	}
}

// shown is an event as listen prints it.
type shown struct {
	ID, PreviousID, Source, Type, Subject string
	Sequence                              int64 `json:"sequence,string"`
}

// event is the next line, whatever it is.
func (p *process) event() (e shown) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.line("")), &e); err != nil {
		p.t.Fatal(err)
	}
	return e
}

// follows fails unless the next line is the creation of a booking, and the entry
// right after the one before it.
func (p *process) follows(before shown, booked string) shown {
	p.t.Helper()
	e := p.event()
	if e.Type != "booking.created" || e.Subject != booked || e.Sequence != before.Sequence+1 || e.PreviousID != before.ID {
		p.t.Errorf("after %+v it printed %+v, not the creation of %s", before, e, booked)
	}
	return e
}

func TestAListenerGoesOnWhereItWasAfterACutAndARestart(t *testing.T) {
	t.Parallel()
	databaseURL := pgtest.URL(t)
	server := launch(t, environ(databaseURL), "serve", "--worker=false")
	address := server.address()
	line := cabletest.New(t, address)
	bob := token(t, booking.RoleProvider, "bob")
	listeners := map[string]*process{
		"/bookings/feeds/all":          launch(t, []string{"INTERNAL_TOKEN=" + testInternal}, "listen", "--all", "--url", line.URL()),
		"/bookings/feeds/provider/bob": launch(t, nil, "listen", "--token", bob, "--url", line.URL()),
	}
	for _, l := range listeners {
		l.connected(1)
	}
	line.Lead("")
	first := book(t, address) // while nobody hears it: after ready's head, which the listeners have
	line.Lead(address)
	last := map[string]shown{}
	for source, l := range listeners {
		last[source] = l.follows(shown{}, first)
		if last[source].Source != source {
			t.Errorf("the entry is of %s, not of %s", last[source].Source, source)
		}
	}

	line.Lead("")
	second := bookAt(t, address, 2)
	_ = server.signal(syscall.SIGKILL)
	address = launch(t, environ(databaseURL), "serve", "--worker=false").address()
	line.Lead(address)
	third := bookAt(t, address, 3)
	for source, l := range listeners {
		l.follows(l.follows(last[source], second), third)
		if err := l.signal(syscall.SIGINT); err != nil {
			t.Errorf("Ctrl-C ended the listener with %v", err)
		}
		if !strings.Contains(l.stderr.String(), "--after 3 --after-id ") {
			t.Errorf("the listener does not say how to go on:\n%s", l.stderr)
		}
	}
}

func TestAListenerPrintsTheTypesAskedForAlone(t *testing.T) {
	t.Parallel()
	// Tomorrow's reminder is due at once, and comes after the creation.
	address := launch(t, append(environ(pgtest.URL(t)), soon), "serve").address()
	booked := book(t, address)
	internal := []string{"INTERNAL_TOKEN=" + testInternal}
	for name, args := range map[string][]string{
		"one":         {"--type", "booking.reminder.due"},
		"by comma":    {"--type", "booking.cancelled,booking.reminder.due"},
		"given again": {"--type", "booking.cancelled", "--type", "booking.reminder.due"},
	} {
		args = append([]string{"listen", "--url", "http://" + address, "--after", "0"}, args...)
		for _, l := range []*process{
			launch(t, internal, append(args, "--all")...),
			launch(t, nil, append(args, "--token", token(t, booking.RoleCustomer, "alice"))...),
		} {
			if e := l.event(); e.Type != "booking.reminder.due" || e.Subject != booked {
				t.Errorf("%s: it printed %+v first", name, e)
			}
		}
	}
}

func TestAListenerEndsWhereAnotherTryCannotHelp(t *testing.T) {
	t.Parallel()
	address := launch(t, environ(pgtest.URL(t)), "serve", "--worker=false").address()
	book(t, address)
	bob := token(t, booking.RoleProvider, "bob")
	for name, test := range map[string]struct {
		args []string
		says []string
	}{
		"a token that is bad":       {[]string{"--token", bob + "x"}, []string{"unauthenticated"}},
		"a service that is bad":     {[]string{"--all", "--internal-token", "x"}, []string{"unauthenticated"}},
		"a number ahead":            {[]string{"--token", bob, "--after", "9"}, []string{"after entry 9 is pruned", "from 1 to 1", "list the bookings"}},
		"an entry of another past":  {[]string{"--token", bob, "--after", "1", "--after-id", uuid.NewString()}, []string{"history has changed", "list the bookings"}},
		"an id without a number":    {[]string{"--token", bob, "--after-id", uuid.NewString()}, []string{"after_id"}},
		"an id that is none":        {[]string{"--token", bob, "--after", "1", "--after-id", "x"}, []string{"after_id"}},
		"a type that there is none": {[]string{"--token", bob, "--type", "booking.eaten"}, []string{"types"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			launch(t, nil, append([]string{"listen", "--url", "http://" + address}, test.args...)...).says(test.says...)
		})
	}
}

func TestAListenerEndsWhereTheDatabaseHasAnotherPast(t *testing.T) {
	t.Parallel()
	server := launch(t, environ(pgtest.URL(t)), "serve", "--worker=false")
	address := server.address()
	line := cabletest.New(t, address)
	listener := launch(t, []string{"INTERNAL_TOKEN=" + testInternal}, "listen", "--all", "--url", line.URL())
	listener.connected(1)
	booked := book(t, address)
	listener.follows(shown{}, booked)

	another := launch(t, environ(pgtest.URL(t)), "serve", "--worker=false").address()
	book(t, another) // as many as in the first
	line.Lead(another)
	listener.says("history has changed", "list the bookings")
}
