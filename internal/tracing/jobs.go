package tracing

import (
	"context"
	"encoding/json"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/riverqueue/rivercontrib/otelriver"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
)

// Jobs are the middleware that trace jobs. A job's metadata tells which request it is
// from, and its span is a child of that request's, however much later it comes: one
// id finds the create, its reminder and the one after that.
func (t *Tracing) Jobs() []rivertype.Middleware {
	if t == nil {
		return nil
	}
	return []rivertype.Middleware{&resume{}, otelriver.NewMiddleware(&otelriver.MiddlewareConfig{
		TracerProvider: t.provider, MeterProvider: noop.NewMeterProvider(),
		EnableTracePropagation: true, EnableWorkSpanJobKindSuffix: true,
	})}
}

// resume goes on with the trace that a job was inserted in. otelriver, which writes
// it down, only links to it, and begins another.
type resume struct{ river.MiddlewareDefaults }

// Work implements River's middleware for working.
func (*resume) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	var kept struct {
		Parent string `json:"traceparent"`
		State  string `json:"tracestate"`
	}
	if json.Unmarshal(job.Metadata, &kept) == nil {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": kept.Parent, "tracestate": kept.State})
	}
	return work(ctx)
}
