package middleware

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// faults are the codes of answers that are no caller's fault.
var faults = []string{"internal", "unknown", "unavailable", "deadline_exceeded", "data_loss"}

// trace begins the request's span, in the caller's trace where it has brought one
// (W3C's traceparent).
func (h *Handler) trace(ctx context.Context, header http.Header, id string) context.Context {
	if h.Tracer == nil {
		return ctx
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	ctx, _ = h.Tracer.Start( //nolint:spancheck // observe ends it, and finds it in the context
		ctx, "request", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("bookings.request_id", id)))
	return ctx
}

// observe tells metrics and traces of a request that has been answered.
func (h *Handler) observe(ctx context.Context, record *Record, answer *ResponseWriter, took time.Duration) {
	route, code := record.told()
	if h.Observe != nil {
		h.Observe(route, code, took)
	}
	if h.Tracer == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	span.SetName(route)
	status := answer.code()
	span.SetAttributes(attribute.String("http.response.status_code", status), attribute.String("bookings.code", code))
	if number, _ := strconv.Atoi(status); number >= http.StatusInternalServerError || slices.Contains(faults, code) {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
