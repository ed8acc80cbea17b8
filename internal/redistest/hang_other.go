//go:build !unix

package redistest

// Hang skips the test: no process can be made to stand still here.
func (s *Server) Hang() {
	s.t.Helper()
	s.t.Skip("hangs a process, which only Unix can")
}

// Resume ends a Hang.
func (*Server) Resume() {}
