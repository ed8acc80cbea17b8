package apierror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"bookings/internal/booking"
	"bookings/internal/requestid"
)

// contract is the table of errors that callers rely on.
var contract = map[booking.Reason]struct {
	code connect.Code
	http int
}{
	"VALIDATION_FAILED":      {connect.CodeInvalidArgument, 400},
	"START_IN_PAST":          {connect.CodeInvalidArgument, 400},
	"PAGE_TOKEN_INVALID":     {connect.CodeInvalidArgument, 400},
	"SEQUENCE_OUT_OF_RANGE":  {connect.CodeOutOfRange, 400},
	"TOKEN_MISSING":          {connect.CodeUnauthenticated, 401},
	"TOKEN_INVALID":          {connect.CodeUnauthenticated, 401},
	"TOKEN_EXPIRED":          {connect.CodeUnauthenticated, 401},
	"NOT_ALLOWED":            {connect.CodePermissionDenied, 403},
	"BOOKING_NOT_FOUND":      {connect.CodeNotFound, 404},
	"SLOT_TAKEN":             {connect.CodeAlreadyExists, 409},
	"IDEMPOTENCY_KEY_REUSED": {connect.CodeAlreadyExists, 409},
	"ETAG_MISMATCH":          {connect.CodeAborted, 409},
	"INVALID_TRANSITION":     {connect.CodeFailedPrecondition, 400},
	"TOO_MANY_PENDING":       {connect.CodeFailedPrecondition, 400},
	"TOO_MANY_MOVES":         {connect.CodeFailedPrecondition, 400},
	"RATE_LIMITED":           {connect.CodeResourceExhausted, 429},
	"DATABASE_UNAVAILABLE":   {connect.CodeUnavailable, 503},
	"SHUTTING_DOWN":          {connect.CodeUnavailable, 503},
	ReasonDeadlineExceeded:   {connect.CodeDeadlineExceeded, 504},
	ReasonCanceled:           {connect.CodeCanceled, 499},
	ReasonUnimplemented:      {connect.CodeUnimplemented, 404},
	ReasonInternal:           {connect.CodeInternal, 500},
}

// write is an error as REST and /ws tell it.
func write(t *testing.T, log *slog.Logger, err error) (int, *status.Status) {
	t.Helper()
	request := httptest.NewRequestWithContext(requestid.NewContext(t.Context(), "the-id"), http.MethodGet, "/", http.NoBody)
	recorder := httptest.NewRecorder()
	Responder{Log: log}.WriteStatus(recorder, request, err)
	told := &status.Status{}
	if err := protojson.Unmarshal(recorder.Body.Bytes(), told); err != nil {
		t.Fatal(err)
	}
	return recorder.Code, told
}

func find[D proto.Message](told *status.Status) (found D) {
	for _, detail := range told.GetDetails() {
		if value, err := detail.UnmarshalNew(); err == nil {
			if wanted, ok := value.(D); ok {
				return wanted
			}
		}
	}
	return found
}

func TestEachReasonHasItsCode(t *testing.T) {
	t.Parallel()
	for reason, want := range contract {
		code, told := write(t, slog.New(slog.DiscardHandler), fmt.Errorf("wrapped: %w", booking.Errorf(reason, "for people")))
		info := find[*errdetails.ErrorInfo](told)
		if code != want.http || connect.Code(told.GetCode()) != want.code || told.GetMessage() != "for people" {
			t.Errorf("%s: HTTP status %d, %v", reason, code, told)
		}
		if info.GetReason() != string(reason) || info.GetDomain() != "bookings" {
			t.Errorf("%s: %v", reason, info)
		}
	}
	if len(codes) != len(contract)+2 { // and ReasonTooLarge and ReasonNotFound, named as their codes
		t.Errorf("the contract knows %d reasons, the table %d", len(contract), len(codes))
	}
}

func TestFactsBecomeDetails(t *testing.T) {
	t.Parallel()
	_, told := write(t, slog.New(slog.DiscardHandler), &booking.Error{
		Reason: booking.ReasonValidationFailed, Message: "for people",
		Fields:     []booking.FieldViolation{{Field: "note", Description: "is odd"}},
		Metadata:   map[string]string{"head": "7"},
		RetryAfter: 1500 * time.Millisecond,
	})
	violations := find[*errdetails.BadRequest](told).GetFieldViolations()
	if len(violations) != 1 || violations[0].GetField() != "note" || violations[0].GetDescription() != "is odd" {
		t.Errorf("violations are %v", violations)
	}
	if head := find[*errdetails.ErrorInfo](told).GetMetadata()["head"]; head != "7" {
		t.Errorf("head is %q", head)
	}
	if delay := find[*errdetails.RetryInfo](told).GetRetryDelay().AsDuration(); delay != 1500*time.Millisecond {
		t.Errorf("the delay is %v", delay)
	}
}

func TestTheCauseOfAnInternalErrorIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("a secret"), connect.NewError(connect.CodeAborted, errors.New("a secret"))} {
		var log bytes.Buffer
		code, told := write(t, slog.New(slog.NewJSONHandler(&log, nil)), err)
		if code != http.StatusInternalServerError || told.GetMessage() != "internal error, request the-id" || strings.Contains(told.String(), "secret") {
			t.Errorf("HTTP status %d, %v", code, told)
		}
		if !strings.Contains(log.String(), "a secret") || !strings.Contains(log.String(), `"requestId":"the-id"`) {
			t.Errorf("logged was %s", log.String())
		}
	}
}

func TestTheEndOfAContextIsNoInternalError(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]connect.Code{
		context.DeadlineExceeded: connect.CodeDeadlineExceeded,
		context.Canceled:         connect.CodeCanceled,
	} {
		if _, told := write(t, slog.New(slog.DiscardHandler), fmt.Errorf("a secret: %w", err)); connect.Code(told.GetCode()) != want || strings.Contains(told.String(), "secret") {
			t.Errorf("%v: %v", err, told)
		}
	}
}

func TestFaultsAreToldUpToALimit(t *testing.T) {
	t.Parallel()
	faults := make([]booking.FieldViolation, 1000)
	for n := range faults {
		faults[n] = booking.FieldViolation{Field: strings.Repeat("ж", 1000), Description: "is odd"}
	}
	_, told := write(t, slog.New(slog.DiscardHandler), Invalid(faults))
	if size := proto.Size(told); size > 16<<10 {
		t.Errorf("%d bytes", size)
	}
	if got := len(find[*errdetails.BadRequest](told).GetFieldViolations()); got != maxFaults {
		t.Errorf("%d faults", got)
	}
	if len([]rune(faults[0].Field)) != 1000 {
		t.Error("the caller's faults were changed")
	}
}

func TestThePageOnErrorsNamesEachReasonWithItsStatus(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for reason, want := range contract {
		found := reason == ReasonUnimplemented // a sentence below the table
		for line := range strings.Lines(string(page)) {
			found = found || strings.HasPrefix(line, fmt.Sprintf("| %d |", want.http)) && strings.Contains(line, string(reason))
		}
		if !found {
			t.Errorf("no row %d has %s", want.http, reason)
		}
	}
}
