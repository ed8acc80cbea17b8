package main

import (
	"fmt"
	"io"
)

// steps tell somebody who waits what is being done.
type steps struct {
	out io.Writer
	// rewrites tells that a person reads, at a terminal, where a line can be written over.
	rewrites bool
	// unfinished tells that the last line has no end yet.
	unfinished bool
	// quarters of what is being fetched have been told.
	quarters int64
}

// say tells of a step, in a line.
func (s *steps) say(step string) {
	s.end()
	fmt.Fprintln(s.out, "bookings dev:", step)
}

// end ends the last line, so that somebody else can go on.
func (s *steps) end() {
	if s.unfinished {
		fmt.Fprintln(s.out)
		s.unfinished = false
	}
}

// fetched tells how far fetching PostgreSQL is: in one line that changes, or elsewhere,
// as in a file, a line for each quarter.
func (s *steps) fetched(done, total int64) {
	text := fmt.Sprintf("%d of %d MB unpacked", done/1e6, total/1e6)
	if s.rewrites {
		fmt.Fprintf(s.out, "\rbookings dev: %s", text) // it never gets shorter
		s.unfinished = true
		return
	}
	if quarters := 4 * done / total; quarters > s.quarters {
		s.quarters = quarters
		s.say(text)
	}
}
