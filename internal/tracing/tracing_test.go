package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recording is a Tracing that keeps what it would send.
func recording(t *testing.T) (*Tracing, *tracetest.InMemoryExporter) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(discreet{kept}))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return &Tracing{provider: provider}, kept
}

func TestErrorsAreSentWithoutTheirTexts(t *testing.T) {
	t.Parallel()
	tracing, kept := recording(t)
	_, span := tracing.Tracer().Start(t.Context(), "failing")
	span.RecordError(errors.New("somebody's note"))
	span.SetStatus(codes.Error, "somebody's note")
	span.End()
	sent := kept.GetSpans()
	if len(sent) != 1 || sent[0].Name != "failing" || sent[0].Status.Code != codes.Error {
		t.Errorf("what is sent does not tell that it failed: %v", sent)
	}
	if text := fmt.Sprintf("%+v", sent); strings.Contains(text, "note") {
		t.Errorf("the text is sent: %s", text)
	}
}

func TestWhatRunsInTheBackgroundMakesNoTrace(t *testing.T) {
	t.Parallel()
	tracing, kept := recording(t)
	inside := parented{tracing.provider}.Tracer("redis")
	_, alone := inside.Start(t.Context(), "heartbeat")
	alone.End()
	ctx, request := tracing.Tracer().Start(t.Context(), "request")
	_, command := inside.Start(ctx, "command")
	command.End()
	request.End()
	if sent := kept.GetSpans(); len(sent) != 2 || sent[0].Name != "command" || sent[0].Parent.SpanID() != request.SpanContext().SpanID() {
		t.Errorf("sent are %v", sent)
	}
}

func TestLogLinesTellTheirTrace(t *testing.T) {
	t.Parallel()
	tracing, _ := recording(t)
	var text bytes.Buffer
	log := tracing.Log(slog.New(slog.NewTextHandler(&text, nil))).With("a", 1).WithGroup("b")
	ctx, span := tracing.Tracer().Start(t.Context(), "request")
	defer span.End()
	log.InfoContext(ctx, "inside")
	log.InfoContext(t.Context(), "outside")
	inside, outside, _ := strings.Cut(text.String(), "\n")
	if !strings.Contains(inside, "traceId="+span.SpanContext().TraceID().String()) || strings.Contains(outside, "traceId") {
		t.Errorf("logged is %s", text.String())
	}
}

// A job that has no trace, or one that nobody can read, is worked all the same.
func TestJobsGoOnWithTheTraceThatTheyCarry(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	for metadata, want := range map[string]string{
		`{"traceparent":"00-` + id + `-b7ad6b7169203331-01"}`: id,
		`{"traceparent":"made up"}`:                           strings.Repeat("0", 32),
		`{"traceparent":1}`:                                   strings.Repeat("0", 32),
		`{}`:                                                  strings.Repeat("0", 32), `[]`: strings.Repeat("0", 32), ``: strings.Repeat("0", 32),
	} {
		worked := ""
		err := (&resume{}).Work(t.Context(), &rivertype.JobRow{Metadata: []byte(metadata)}, func(ctx context.Context) error {
			worked = trace.SpanContextFromContext(ctx).TraceID().String()
			return nil
		})
		if err != nil || worked != want {
			t.Errorf("%s is worked in %q (%v), not in %q", metadata, worked, err, want)
		}
	}
}

func TestWithoutAnEndpointNothingIsMade(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	none, err := Open(t.Context(), "", log)
	if none != nil || err != nil {
		t.Fatalf("made is %v (%v)", none, err)
	}
	if none.Tracer() != nil || none.SQL() != nil || none.Jobs() != nil || none.Log(log) != log || none.Redis(nil) != nil {
		t.Error("without an endpoint something is traced")
	}
	none.Close(t.Context())
}
