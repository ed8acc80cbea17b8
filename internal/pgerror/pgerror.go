// Package pgerror says what an error of PostgreSQL means to a caller.
package pgerror

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"bookings/internal/booking"
)

// Explain turns what the database said into what a caller is told: the names
// of constraints into the domain's errors, and a database that cannot be
// reached into DATABASE_UNAVAILABLE. Anything else stays an internal error. It
// is called once, where a use case ends.
func Explain(err error) error {
	var domain *booking.Error
	switch {
	case err == nil, errors.As(err, &domain), errors.Is(err, context.Canceled):
		return err
	case unavailable(err), Passing(err):
		return &unavailableError{cause: err}
	}
	if violation := byConstraint[constraint(err)]; violation != nil {
		return violation
	}
	return err
}

// byConstraint are the rules that only the database can judge, since they are
// about more than one row. The CHECKs on single rows repeat rules of package
// booking: meeting one of those is a fault of ours.
// The use cases ask before they write, under locks that leave no race: what
// breaks one of these nevertheless is still answered as what it is.
var byConstraint = map[string]*booking.Error{
	"bookings_no_overlap":             booking.ErrSlotTaken,
	"bookings_idempotency_key_unique": booking.ErrKeyReused,
}

func constraint(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.ConstraintName
	}
	return ""
}

// Passing reports whether an error passes when all of its transaction is run
// again: a deadlock, a serialization failure, a stale connection.
func Passing(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40P01" || pg.Code == "40001" || Stale(pg))
}

// Stale reports whether a connection's prepared statements and the server's do
// not fit: one is there already (42P05) or not there (26000), as behind a pooler
// or after DISCARD ALL; or a table was changed, and the cached plan's columns
// are no longer the query's (0A000 from that one place: elsewhere it means that
// PostgreSQL cannot do what we ask, which is a fault of ours).
func Stale(err *pgconn.PgError) bool {
	return err.Code == "42P05" || err.Code == "26000" || err.Code == "0A000" && err.Routine == "RevalidateCachedQuery"
}

// NoPrimary reports whether a server takes no writes any more (25006), is going
// away (57P01, 57P02) or not there yet (57P03): another one may be the primary.
func NoPrimary(err *pgconn.PgError) bool {
	switch err.Code {
	case "25006", "57P01", "57P02", "57P03":
		return true
	default:
		return false
	}
}

// unavailableError is a booking.Error for the caller, its cause for the log.
type unavailableError struct{ cause error }

func (e *unavailableError) Error() string { return "database unavailable: " + e.cause.Error() }

func (e *unavailableError) Unwrap() []error {
	return []error{
		booking.Errorf(booking.ReasonDatabaseUnavailable, "the database cannot be reached: try again"),
		e.cause,
	}
}

// unavailable reports whether the server could not be reached, went away, takes
// no more work or does not keep up: the call may be tried again.
func unavailable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		class := pg.Code[:min(2, len(pg.Code))]
		// 08 connection, 53 resources, 57 operator intervention and a statement
		// that timed out, 55P03 a lock that did, 25006 a standby that takes no
		// writes.
		return class == "08" || class == "53" || class == "57" || pg.Code == "55P03" || pg.Code == "25006"
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect):
		return true
	case errors.Is(err, context.DeadlineExceeded): // the call's own
		return false
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || errors.As(err, &network)
}
