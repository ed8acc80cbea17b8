package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"bookings/internal/middleware"
)

// listener is a place where callers connect.
type listener struct {
	// setting is that of its address.
	setting, addr string
	http          *http.Server
	// files are nil where it speaks plain text.
	files *tlsFiles
	// bounded tells that its connections are bounded.
	bounded bool
	// net is there while the server runs.
	net net.Listener
}

// newListeners makes the public listener and, where there is one, the internal one.
func (s *Server) newListeners() ([]*listener, error) {
	public := &listener{setting: "ADDR", addr: s.settings.Addr, bounded: true}
	if s.settings.TLSCert != "" {
		public.files = &tlsFiles{cert: s.settings.TLSCert, key: s.settings.TLSKey, least: tls.VersionTLS12, log: s.log}
	}
	if s.settings.InternalAddr == "" {
		return []*listener{public}, public.serveWith(s, middleware.SideOnly)
	}
	internal := &listener{setting: "INTERNAL_ADDR", addr: s.settings.InternalAddr}
	if s.settings.InternalTLSCert != "" {
		internal.files = &tlsFiles{
			cert: s.settings.InternalTLSCert, key: s.settings.InternalTLSKey, least: tls.VersionTLS13, log: s.log,
			ca: s.settings.InternalCA, names: s.settings.InternalNames,
		}
	}
	if err := public.serveWith(s, middleware.SidePublic); err != nil {
		return nil, err
	}
	return []*listener{public, internal}, internal.serveWith(s, middleware.SideInternal)
}

func (l *listener) serveWith(s *Server, side middleware.Side) error {
	handler, err := s.handler(side)
	if err != nil {
		return err
	}
	l.http = newHTTPServer(handler, s.log)
	if l.files == nil {
		return nil
	}
	if _, err := l.files.configure(nil); err != nil {
		return err
	}
	l.http.TLSConfig = &tls.Config{MinVersion: l.files.least, GetConfigForClient: l.files.configure}
	return nil
}

func (l *listener) listen(ctx context.Context, log *slog.Logger) error {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // it takes no socket filter: see ignoreHandshakes
	opened, err := config.Listen(ctx, "tcp", l.addr)
	if err != nil {
		return fmt.Errorf("%s: %w", l.setting, err)
	}
	l.net = opened
	log.Info("listening", "addr", opened.Addr().String(), "setting", l.setting)
	return nil
}

func (l *listener) serve(s Settings, log *slog.Logger) error {
	accepting := l.net
	if l.bounded {
		accepting = boundConnections(l.net, s, log)
	}
	if l.files != nil {
		return l.http.ServeTLS(accepting, "", "")
	}
	return l.http.Serve(accepting)
}

// ignoreHandshakes makes sure that no more connections come to be made.
func (l *listener) ignoreHandshakes(log *slog.Logger) {
	if tcp, ok := l.net.(*net.TCPListener); ok {
		if err := ignoreHandshakes(tcp); err != nil {
			log.Debug("connections that are being made may be reset", "error", err)
		}
	}
}

// shutdown waits for requests. Peers who do not read, or do not finish what they
// send, are cut off when the context ends.
func (l *listener) shutdown(ctx context.Context, log *slog.Logger) {
	if err := l.http.Shutdown(ctx); err != nil {
		log.Warn("requests did not end in time", "error", err)
		_ = l.http.Close()
	}
}
