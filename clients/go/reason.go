package bookings

import (
	"errors"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// The reasons of errors. docs/errors.md says what to do with each; those that are not
// here are the names of codes, such as INTERNAL.
const (
	ReasonValidationFailed     = "VALIDATION_FAILED"
	ReasonStartInPast          = "START_IN_PAST"
	ReasonPageTokenInvalid     = "PAGE_TOKEN_INVALID"
	ReasonSequenceOutOfRange   = "SEQUENCE_OUT_OF_RANGE"
	ReasonTokenMissing         = "TOKEN_MISSING"
	ReasonTokenInvalid         = "TOKEN_INVALID"
	ReasonTokenExpired         = "TOKEN_EXPIRED"
	ReasonNotAllowed           = "NOT_ALLOWED"
	ReasonBookingNotFound      = "BOOKING_NOT_FOUND"
	ReasonSlotTaken            = "SLOT_TAKEN"
	ReasonIdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED"
	ReasonEtagMismatch         = "ETAG_MISMATCH"
	ReasonInvalidTransition    = "INVALID_TRANSITION"
	ReasonTooManyPending       = "TOO_MANY_PENDING"
	ReasonTooManyMoves         = "TOO_MANY_MOVES"
	ReasonRateLimited          = "RATE_LIMITED"
	ReasonDatabaseUnavailable  = "DATABASE_UNAVAILABLE"
	ReasonShuttingDown         = "SHUTTING_DOWN"
)

// Reason says why the server has refused a call, for programs to decide by. It is empty
// for errors that are not the server's, such as a line that was cut.
func Reason(err error) string {
	for _, detail := range details(err) {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "bookings" {
			return info.GetReason()
		}
	}
	return ""
}

// Violation is a field that is wrong.
type Violation struct {
	Field       string // as the proto has it, such as start_time
	Description string
}

// Violations are the fields that are wrong, of an error with VALIDATION_FAILED.
func Violations(err error) (all []Violation) {
	for _, detail := range details(err) {
		request, _ := detail.(*errdetails.BadRequest)
		for _, v := range request.GetFieldViolations() {
			all = append(all, Violation{v.GetField(), v.GetDescription()})
		}
	}
	return all
}

// retryAfter is how long the server asks to wait.
func retryAfter(err error) time.Duration {
	for _, detail := range details(err) {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func details(err error) (all []any) {
	failure, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return nil
	}
	for _, detail := range failure.Details() {
		if value, err := detail.Value(); err == nil {
			all = append(all, value)
		}
	}
	return all
}
