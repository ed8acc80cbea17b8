package tracing

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// discreet leaves the texts of errors out of what is sent: PostgreSQL quotes in them
// what it has been given. That something failed, and PostgreSQL's code, stay; the
// text is in the log.
type discreet struct{ sdktrace.SpanExporter }

// ExportSpans implements sdktrace.SpanExporter.
func (d discreet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	told := make([]sdktrace.ReadOnlySpan, len(spans))
	for n, span := range spans {
		told[n] = wordless{span}
	}
	return d.SpanExporter.ExportSpans(ctx, told) //nolint:wrapcheck // it goes to our error handler, and says what it is
}

type wordless struct{ sdktrace.ReadOnlySpan }

// Events implements sdktrace.ReadOnlySpan: all that there are of are errors.
func (wordless) Events() []sdktrace.Event { return nil }

// Status implements sdktrace.ReadOnlySpan.
func (w wordless) Status() sdktrace.Status {
	return sdktrace.Status{Code: w.ReadOnlySpan.Status().Code}
}

// parented makes spans inside of others alone: what runs in the background, such as
// heartbeats, would be a trace each time.
type parented struct{ trace.TracerProvider }

// Tracer implements trace.TracerProvider.
func (p parented) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	return parentedTracer{p.TracerProvider.Tracer(name, options...)}
}

type parentedTracer struct{ trace.Tracer }

// Start implements trace.Tracer.
func (p parentedTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if around := trace.SpanFromContext(ctx); !around.SpanContext().IsValid() {
		return ctx, around // it does nothing
	}
	return p.Tracer.Start(ctx, name, options...) //nolint:spancheck // its caller ends it
}
