// Package apierror says to callers what went wrong: the contract's table of
// reasons and codes, the details of google.rpc, and the HTTP statuses. Both
// doors answer through it, so that an error is mapped in one place.
package apierror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"bookings/internal/booking"
	"bookings/internal/middleware"
	"bookings/internal/requestid"
)

// domain is the ErrorInfo domain of all errors (AIP-193).
const domain = "bookings"

// Responder turns errors into what callers are told: ToConnect for connect's
// protocols, WriteStatus for REST and /ws.
type Responder struct{ Log *slog.Logger }

// ToConnect is the error as connect sends it. The cause of anything that is not
// a booking.Error goes to the log alone. It sets the headers that belong to the
// error and notes on the request's record that the answer is ours, so it is
// called once, when nothing has been answered yet.
func (r Responder) ToConnect(ctx context.Context, err error) *connect.Error {
	code, known := r.Explain(ctx, err)
	middleware.From(ctx).MarkAnswered(code.String())
	if code == connect.CodeUnauthenticated {
		// RFC 9110, section 11.6.1, asks for it beside every 401.
		middleware.From(ctx).Header().Set("WWW-Authenticate", "Bearer")
	}
	told := connect.NewError(code, errors.New(known.Message))
	for _, detail := range details(known) {
		if packed, err := connect.NewErrorDetail(detail); err == nil {
			told.AddDetail(packed)
		}
	}
	if known.RetryAfter > 0 {
		middleware.From(ctx).Header().Set("Retry-After", middleware.Seconds(known.RetryAfter))
	}
	return told
}

// Explain is what is told of an error, and its code, where it is but a part of an
// answer: unlike ToConnect it leaves the answer's headers and record alone.
func (r Responder) Explain(ctx context.Context, err error) (connect.Code, *booking.Error) {
	known := r.known(ctx, err)
	code, ok := codes[known.Reason]
	if !ok { // a reason that was added without a line in the table
		return connect.CodeInternal, r.Internal(ctx, "an error without a code", "error", err)
	}
	return code, known
}

func (r Responder) known(ctx context.Context, err error) *booking.Error {
	var known *booking.Error
	switch {
	case errors.As(err, &known):
		if known.Reason == booking.ReasonDatabaseUnavailable {
			r.Log.ErrorContext(ctx, "database unavailable", "requestId", requestid.From(ctx), "error", err)
		}
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return booking.Errorf(ReasonDeadlineExceeded, "the call took too long")
	case errors.Is(err, context.Canceled):
		return booking.Errorf(ReasonCanceled, "the caller has gone away")
	case connect.CodeOf(err) == connect.CodeUnimplemented:
		return booking.Errorf(ReasonUnimplemented, "this method is not there yet")
	}
	return r.Internal(ctx, "internal error", "error", err)
}

// Internal logs what must not be told, under the request's id, and makes the
// error that is told: the id alone.
func (r Responder) Internal(ctx context.Context, message string, attributes ...any) *booking.Error {
	id := requestid.From(ctx)
	r.Log.ErrorContext(ctx, message, append(attributes, "requestId", id)...)
	return booking.Errorf(ReasonInternal, "internal error, request %s", id)
}

func details(err *booking.Error) []proto.Message {
	all := []proto.Message{&errdetails.ErrorInfo{Reason: string(err.Reason), Domain: domain, Metadata: err.Metadata}}
	if len(err.Fields) > 0 {
		bad := &errdetails.BadRequest{}
		for _, field := range err.Fields {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: field.Field, Description: field.Description,
			})
		}
		all = append(all, bad)
	}
	if err.RetryAfter > 0 {
		all = append(all, &errdetails.RetryInfo{RetryDelay: durationpb.New(err.RetryAfter.Round(time.Millisecond))})
	}
	return all
}

// What an answer tells of faults is bounded: callers make up the names of
// fields, and gRPC answers in headers.
const (
	maxFaults = 20
	maxName   = 100
)

// Invalid is one VALIDATION_FAILED about all fields that are at fault.
func Invalid(fields []booking.FieldViolation) error {
	fields = slices.Clone(fields[:min(len(fields), maxFaults)])
	for n, field := range fields {
		if name := []rune(field.Field); len(name) > maxName {
			fields[n].Field = string(name[:maxName]) + "…"
		}
	}
	texts := make([]string, 0, len(fields))
	for _, field := range fields {
		texts = append(texts, fmt.Sprintf("%s: %s", field.Field, field.Description))
	}
	return &booking.Error{
		Reason:  booking.ReasonValidationFailed,
		Message: strings.Join(texts, "; "),
		Fields:  fields,
	}
}
