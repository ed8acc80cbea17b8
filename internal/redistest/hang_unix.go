//go:build unix

package redistest

import "syscall"

// Hang makes the process stand still: connections stay open and are not
// answered. Resume lets it go on.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Resume ends a Hang.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Error("redistest: ", err)
	}
}
