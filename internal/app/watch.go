package app

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"bookings/internal/metrics"
	"bookings/internal/ratelimit"
	"bookings/internal/tracing"
)

// watchTimeout bounds the end of a scrape and of what is sent of traces, when all
// else has ended.
const watchTimeout = time.Second

// checkWatch finds what is wrong with how operators watch the server.
func (s Settings) checkWatch() []error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	if s.AdminAddr != "" {
		_, _, err := SplitAddr(s.AdminAddr)
		fault(err != nil, "ADMIN_ADDR: %w", err)
		fault(err == nil && samePlace(s.Addr, s.AdminAddr), "ADMIN_ADDR: is the place of ADDR")
		fault(err == nil && samePlace(s.InternalAddr, s.AdminAddr), "ADMIN_ADDR: is the place of INTERNAL_ADDR")
	}
	if s.TraceEndpoint != "" {
		endpoint, err := url.Parse(s.TraceEndpoint)
		isURL := err == nil && (endpoint.Scheme == "http" || endpoint.Scheme == "https") && endpoint.Host != ""
		fault(!isURL || endpoint.RawQuery != "", "OTEL_EXPORTER_OTLP_ENDPOINT: is no URL such as http://localhost:4318")
	}
	fault(s.TraceProtocol != "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken")
	return faults
}

// openWatch makes what sees the server work, as far as somebody looks.
func (s *Server) openWatch(ctx context.Context) (err error) {
	if s.settings.AdminAddr != "" {
		s.metrics = metrics.New()
	}
	if s.tracing, err = tracing.Open(ctx, s.settings.TraceEndpoint, s.log); err != nil {
		return err
	}
	s.log = s.tracing.Log(s.log)
	return nil
}

// watch shows the metrics what there is to be read.
func (s *Server) watch() {
	s.metrics.WatchPool("calls", s.pool)
	if s.jobsPool != nil {
		s.metrics.WatchPool("jobs", s.jobsPool)
	}
	s.metrics.WatchStored(s.pool, s.feeds, s.log)
	s.metrics.WatchFeeds(s.feeds)
	s.metrics.WatchClock(s.clock.Ahead)
	if s.gate == nil {
		return // a worker has no doors
	}
	s.metrics.WatchDoors(s.sockets.Open, s.streams.Load)
	var alone func() int64
	if shared, ok := s.gate.Limiter.(*ratelimit.Shared); ok {
		alone = shared.Alone
	}
	s.metrics.WatchLimits(s.gate.Allowed, s.gate.Refused, alone)
}

// closeWatch ends what saw the server work, when there is no more to see.
func (s *Server) closeWatch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchTimeout)
	defer cancel()
	s.closeAdmin(ctx)
	s.tracing.Close(ctx)
}
