package bookingsvc

import "context"

// Crowd has all bookings written in groups, as while another is written alone.
func (s *Service) Crowd() { s.alone.Add(1) }

// Waiting is how many bookings wait for a group.
func (s *Service) Waiting() int { return s.groups.Waiting() }

// WriteImpossibleGroup writes a group of two that panics, and reports whether both are left
// to be written alone.
func (s *Service) WriteImpossibleGroup(ctx context.Context) (left bool) {
	group := []*member{{}, {}} // of no bookings
	s.writeGroup(ctx, group)
	left = true
	for _, m := range group {
		left = left && !m.written && m.err == nil
	}
	return left
}
