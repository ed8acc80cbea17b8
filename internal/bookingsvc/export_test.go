package bookingsvc

// Crowd has all bookings written in groups, as while another is written alone.
func (s *Service) Crowd() { s.alone.Add(1) }

// Waiting is how many bookings wait for a group.
func (s *Service) Waiting() int { return s.groups.Waiting() }
