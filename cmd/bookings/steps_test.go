package main

import (
	"bytes"
	"testing"
)

// fetchAll tells of a whole fetch, of 60 MB.
func fetchAll(s *steps) {
	s.say("fetching")
	for done := range int64(121) {
		s.fetched(done*500_000, 60_000_000)
	}
	s.say("starting")
}

func TestAFetchIsOneLineAtATerminal(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	fetchAll(&steps{out: &shown, rewrites: true})
	lines := bytes.Split(shown.Bytes(), []byte("\n"))
	if len(lines) != 4 || string(lines[0]) != "bookings dev: fetching" || string(lines[2]) != "bookings dev: starting" {
		t.Fatalf("shown was %q", lines)
	}
	states := bytes.Split(lines[1], []byte("\r"))
	if len(states) != 122 || len(states[0]) > 0 || string(states[121]) != "bookings dev: 60 of 60 MB unpacked" {
		t.Errorf("shown was %q", states)
	}
	for n := range states[1:] {
		if len(states[n+1]) < len(states[n]) {
			t.Errorf("%q leaves the end of %q", states[n+1], states[n])
		}
	}
}

func TestAFetchIsALineAQuarterElsewhere(t *testing.T) {
	t.Parallel()
	var shown bytes.Buffer
	fetchAll(&steps{out: &shown})
	const want = "bookings dev: fetching\n" +
		"bookings dev: 15 of 60 MB unpacked\nbookings dev: 30 of 60 MB unpacked\n" +
		"bookings dev: 45 of 60 MB unpacked\nbookings dev: 60 of 60 MB unpacked\n" +
		"bookings dev: starting\n"
	if shown.String() != want {
		t.Errorf("shown was %q", shown.String())
	}
}
