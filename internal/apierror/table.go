package apierror

import (
	"net/http"

	"connectrpc.com/connect"

	"bookings/internal/booking"
)

// The reasons of what breaks no rule of bookings: the code's own name.
const (
	ReasonCanceled         booking.Reason = "CANCELED"
	ReasonDeadlineExceeded booking.Reason = "DEADLINE_EXCEEDED"
	ReasonUnimplemented    booking.Reason = "UNIMPLEMENTED"
	ReasonNotFound         booking.Reason = "NOT_FOUND"
	ReasonTooLarge         booking.Reason = "RESOURCE_EXHAUSTED"
	ReasonInternal         booking.Reason = "INTERNAL"
)

// codes are the codes of reasons: the contract's table of errors.
var codes = map[booking.Reason]connect.Code{
	booking.ReasonValidationFailed:     connect.CodeInvalidArgument,
	booking.ReasonStartInPast:          connect.CodeInvalidArgument,
	booking.ReasonPageTokenInvalid:     connect.CodeInvalidArgument,
	booking.ReasonSequenceOutOfRange:   connect.CodeOutOfRange,
	booking.ReasonTokenMissing:         connect.CodeUnauthenticated,
	booking.ReasonTokenInvalid:         connect.CodeUnauthenticated,
	booking.ReasonTokenExpired:         connect.CodeUnauthenticated,
	booking.ReasonNotAllowed:           connect.CodePermissionDenied,
	booking.ReasonBookingNotFound:      connect.CodeNotFound,
	booking.ReasonSlotTaken:            connect.CodeAlreadyExists,
	booking.ReasonIdempotencyKeyReused: connect.CodeAlreadyExists,
	booking.ReasonEtagMismatch:         connect.CodeAborted,
	booking.ReasonInvalidTransition:    connect.CodeFailedPrecondition,
	booking.ReasonTooManyPending:       connect.CodeFailedPrecondition,
	booking.ReasonTooManyMoves:         connect.CodeFailedPrecondition,
	booking.ReasonRateLimited:          connect.CodeResourceExhausted,
	booking.ReasonDatabaseUnavailable:  connect.CodeUnavailable,
	booking.ReasonShuttingDown:         connect.CodeUnavailable,
	ReasonCanceled:                     connect.CodeCanceled,
	ReasonDeadlineExceeded:             connect.CodeDeadlineExceeded,
	ReasonUnimplemented:                connect.CodeUnimplemented,
	ReasonNotFound:                     connect.CodeNotFound,
	ReasonTooLarge:                     connect.CodeResourceExhausted,
	ReasonInternal:                     connect.CodeInternal,
}

// Row is a line of the table of errors: what a reason is told as.
type Row struct {
	Code connect.Code
	HTTP int
}

// Table is the contract's table of errors, for whoever writes about it.
func Table() map[booking.Reason]Row {
	table := make(map[booking.Reason]Row, len(codes))
	for reason, code := range codes {
		table[reason] = Row{Code: code, HTTP: statuses[code]}
	}
	return table
}

// statusCanceled is what the contract says of a caller who has gone away; no RFC
// knows it.
const statusCanceled = 499

// statuses are the HTTP statuses of codes, as google.rpc.Code has them.
var statuses = map[connect.Code]int{
	connect.CodeInvalidArgument:    http.StatusBadRequest,
	connect.CodeOutOfRange:         http.StatusBadRequest,
	connect.CodeFailedPrecondition: http.StatusBadRequest,
	connect.CodeUnauthenticated:    http.StatusUnauthorized,
	connect.CodePermissionDenied:   http.StatusForbidden,
	connect.CodeNotFound:           http.StatusNotFound,
	connect.CodeUnimplemented:      http.StatusNotFound,
	connect.CodeAlreadyExists:      http.StatusConflict,
	connect.CodeAborted:            http.StatusConflict,
	connect.CodeResourceExhausted:  http.StatusTooManyRequests,
	connect.CodeUnavailable:        http.StatusServiceUnavailable,
	connect.CodeDeadlineExceeded:   http.StatusGatewayTimeout,
	connect.CodeCanceled:           statusCanceled,
	connect.CodeInternal:           http.StatusInternalServerError,
}
