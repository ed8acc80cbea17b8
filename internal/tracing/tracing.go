// Package tracing follows a request through the server by OpenTelemetry: from its
// door through SQL and Redis to the job that it leaves behind. Where no endpoint is
// set there is no Tracing (nil), whose methods do nothing and give nothing.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/go-logr/logr"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// name is the service's, where OTEL_SERVICE_NAME does not say another.
const name = "bookings"

// warnInterval is how often it is logged that traces cannot be sent.
const warnInterval = time.Minute

// Tracing sends what it is told of to an OTLP endpoint, in the background: spans
// that cannot be sent in time are dropped, and nobody waits for it.
type Tracing struct {
	provider *sdktrace.TracerProvider
	exporter sdktrace.SpanExporter
}

// Open makes a Tracing that sends to an OTLP endpoint over HTTP, such as
// http://localhost:4318; it connects to nothing yet. It is nil where the endpoint is
// empty. How much is traced and which headers are sent is said by the environment's
// OTEL_… variables, which the SDK reads by itself.
func Open(ctx context.Context, endpoint string, log *slog.Logger) (*Tracing, error) {
	if endpoint == "" {
		return nil, nil
	}
	sayFaults(log)
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+"/v1/traces"))
	if err != nil {
		return nil, fmt.Errorf("make the exporter of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", name)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discreet{exporter}), sdktrace.WithResource(about))
	return &Tracing{provider: provider, exporter: exporter}, nil
}

// sayFaults logs what OpenTelemetry finds wrong, which it would print by itself:
// mostly that spans cannot be sent, again and again.
func sayFaults(log *slog.Logger) {
	warnings := rate.Sometimes{Interval: warnInterval}
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		warnings.Do(func() { log.Warn("traces cannot be sent: they are dropped", "error", err) })
	}))
}

// Tracer is that of requests; nil where nothing is traced.
func (t *Tracing) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(name)
}

// SQL traces statements: their text, which has no values in it, and never their
// parameters. Statements that belong to no request and no job are not traced.
func (t *Tracing) SQL() pgx.QueryTracer {
	if t == nil {
		return nil
	}
	return otelpgx.NewTracer(otelpgx.WithTracerProvider(t.provider), otelpgx.WithDisableConnectionDetailsInAttributes())
}

// Redis traces commands by their names: what is broadcast has notes in it.
func (t *Tracing) Redis(client redis.UniversalClient) error {
	if t == nil {
		return nil
	}
	err := redisotel.InstrumentTracing(client, redisotel.WithTracerProvider(parented{TracerProvider: t.provider}),
		redisotel.WithDBStatement(false), redisotel.WithCallerEnabled(false), redisotel.WithDialFilter(true))
	if err != nil {
		return fmt.Errorf("trace Redis: %w", err)
	}
	return nil
}

// Close sends what is left, until the context ends.
func (t *Tracing) Close(ctx context.Context) {
	if t == nil {
		return
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		_ = t.exporter.Shutdown(ctx) // else it would try on; what is left is lost, as promised
	}
}
