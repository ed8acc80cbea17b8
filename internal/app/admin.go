package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
)

// openAdmin makes the listener for operators, where there is one. It asks nobody who
// they are, so that what it shows is figures, profiles and jobs, and nothing can be
// changed.
func (s *Server) openAdmin() error {
	if s.settings.AdminAddr == "" {
		return nil
	}
	s.watch()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if err := s.mountJobs(mux); err != nil {
		return err
	}
	s.admin = &listener{setting: "ADMIN_ADDR", addr: s.settings.AdminAddr, http: newHTTPServer(mux, s.log)}
	return nil
}

// serveAdmin begins to answer operators. Where that ends before its time the server
// goes on: it is not what its callers need.
func (s *Server) serveAdmin(ctx context.Context) error {
	if s.admin == nil {
		return nil
	}
	if err := s.admin.listen(ctx, s.log); err != nil {
		return err
	}
	go func() {
		if err := s.admin.http.Serve(s.admin.net); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("operators are not answered any more", "error", err)
		}
	}()
	return nil
}

// closeAdmin ends it; a profile that is being taken is cut off.
func (s *Server) closeAdmin(ctx context.Context) {
	if s.admin == nil || s.admin.net == nil {
		return
	}
	if err := s.admin.http.Shutdown(ctx); err != nil {
		_ = s.admin.http.Close()
	}
}

// AdminAddr is where operators connect, once Run has begun to listen; nil where there
// is no such place.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil || s.admin.net == nil {
		return nil
	}
	return s.admin.net.Addr()
}
