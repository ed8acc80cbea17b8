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
		handedOn

		Own *handedOn `json:"trace"`
	}
	if json.Unmarshal(job.Metadata, &kept) == nil {
		from := kept.handedOn
		if kept.Own != nil {
			from = *kept.Own
		}
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": from.Parent, "tracestate": from.State})
	}
	return work(ctx)
}

// handedOn is a place in a trace, as a job's metadata has it.
type handedOn struct {
	Parent string `json:"traceparent"`
	State  string `json:"tracestate,omitempty"`
}

// HandOn is the metadata of a job that goes on with the trace of this context, while
// it is inserted together with jobs of other traces: otelriver writes one trace into
// all that are inserted at once. It is nil where nothing is traced.
func HandOn(ctx context.Context) []byte {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	if len(carrier) == 0 {
		return nil
	}
	metadata, err := json.Marshal(map[string]handedOn{"trace": {Parent: carrier["traceparent"], State: carrier["tracestate"]}})
	if err != nil {
		panic(err) // texts alone
	}
	return metadata
}
