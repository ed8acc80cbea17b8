package booking

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why a call failed, in the words that callers see (the reason of
// google.rpc.ErrorInfo). The doors map it to their own status codes.
type Reason string

// The reasons, one for each way in which a call can fail.
const (
	ReasonValidationFailed     Reason = "VALIDATION_FAILED"
	ReasonStartInPast          Reason = "START_IN_PAST"
	ReasonPageTokenInvalid     Reason = "PAGE_TOKEN_INVALID"
	ReasonSequenceOutOfRange   Reason = "SEQUENCE_OUT_OF_RANGE"
	ReasonTokenMissing         Reason = "TOKEN_MISSING"
	ReasonTokenInvalid         Reason = "TOKEN_INVALID"
	ReasonTokenExpired         Reason = "TOKEN_EXPIRED"
	ReasonNotAllowed           Reason = "NOT_ALLOWED"
	ReasonBookingNotFound      Reason = "BOOKING_NOT_FOUND"
	ReasonSlotTaken            Reason = "SLOT_TAKEN"
	ReasonIdempotencyKeyReused Reason = "IDEMPOTENCY_KEY_REUSED"
	ReasonEtagMismatch         Reason = "ETAG_MISMATCH"
	ReasonInvalidTransition    Reason = "INVALID_TRANSITION"
	ReasonTooManyPending       Reason = "TOO_MANY_PENDING"
	ReasonTooManyMoves         Reason = "TOO_MANY_MOVES"
	ReasonRateLimited          Reason = "RATE_LIMITED"
	ReasonDatabaseUnavailable  Reason = "DATABASE_UNAVAILABLE"
	ReasonShuttingDown         Reason = "SHUTTING_DOWN"
)

// Error is a failure that the caller is told about. Any other error is an
// internal one: its text goes to the log and never to a caller.
type Error struct {
	Reason  Reason
	Message string
	// Fields are the request's fields that are at fault, where there are any.
	Fields []FieldViolation
	// Metadata are facts for programs, such as the head of a feed.
	Metadata map[string]string
	// RetryAfter is how long to wait before the next try; zero where waiting
	// does not help.
	RetryAfter time.Duration
}

// FieldViolation is what is wrong with one field of a request.
type FieldViolation struct {
	// Field is the field's path as the proto spells it, such as "start_time".
	Field       string
	Description string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Reason, e.Message) }

// IsReason reports whether err is, or wraps, an Error with the reason.
func IsReason(err error, reason Reason) bool {
	known, ok := errors.AsType[*Error](err)
	return ok && known.Reason == reason
}

// The refusals that depend on other bookings, which only the database sees.
var (
	ErrSlotTaken = Errorf(ReasonSlotTaken, "the provider is booked at that time already")
	ErrKeyReused = Errorf(ReasonIdempotencyKeyReused, "the idempotency key stands for another call")
)

// Errorf makes an Error with a message for people.
func Errorf(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a VALIDATION_FAILED about one field.
func Invalid(field, format string, args ...any) *Error {
	description := fmt.Sprintf(format, args...)
	return &Error{
		Reason:  ReasonValidationFailed,
		Message: field + ": " + description,
		Fields:  []FieldViolation{{Field: field, Description: description}},
	}
}
