package wsapi

import (
	"time"

	"bookings/internal/booking"
)

// pulse is when a session has to do something though nobody has said anything. One
// timer stands for all of it. It is guarded by the session's mutex.
type pulse struct {
	timer *time.Timer
	// ping is when the next one is due, and silent when the peer is dropped that has
	// not answered the last; zero where it has.
	ping, silent time.Time
}

func (s *session) startTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulse.ping = time.Now().Add(s.timing.ping)
	s.pulse.timer = time.AfterFunc(s.untilDue(), s.tick)
}

func (s *session) stopTimer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulse.timer != nil {
		s.pulse.timer.Stop()
	}
}

// setTimer is called where what is due next has changed. It does nothing for a
// session that has ended.
func (s *session) setTimer() {
	if s.ctx.Err() == nil {
		s.pulse.timer.Reset(s.untilDue())
	}
}

func (s *session) untilDue() time.Duration {
	next := s.pulse.ping
	if !s.pulse.silent.IsZero() {
		next = s.pulse.silent
	}
	return min(time.Until(next), time.Until(s.caller.Expires))
}

// tick does what is due. The timer may have been set anew while this was on its
// way; then it is nothing.
func (s *session) tick() {
	if s.isPingDue(time.Now()) {
		_ = s.write(appendFrame(nil, opPing, nil))
	}
}

func (s *session) isPingDue(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.setTimer()
	switch answering := !s.pulse.silent.IsZero(); {
	case !now.Before(s.caller.Expires):
		s.end(closeUnauthorized, string(booking.ReasonTokenExpired))
	case answering && !now.Before(s.pulse.silent):
		s.drop()
	case !answering && !now.Before(s.pulse.ping):
		s.pulse.ping, s.pulse.silent = now.Add(s.timing.ping), now.Add(s.timing.silence)
		return true
	}
	return false
}

// ponged notes that the peer is alive.
func (s *session) ponged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pulse.silent.IsZero() {
		s.pulse.silent = time.Time{}
		s.setTimer()
	}
}
