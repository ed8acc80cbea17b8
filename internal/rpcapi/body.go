package rpcapi

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"bookings/internal/booking"
	"bookings/internal/middleware"
)

var errTooLarge = unreadable(connect.CodeResourceExhausted)

// readBody reads the body of a REST request; none is an empty object. The limit
// is for what a body inflates to.
func readBody(r *http.Request) ([]byte, error) {
	body := io.Reader(r.Body)
	if isGzip(r) {
		inflated, err := gzip.NewReader(body)
		switch {
		case errors.Is(err, io.EOF): // no body at all
			return []byte("{}"), nil
		case err != nil:
			return nil, bodyError(err)
		}
		body = inflated
	}
	read, err := io.ReadAll(io.LimitReader(body, middleware.MaxBody+1))
	switch {
	case err != nil:
		return nil, bodyError(err)
	case len(read) > middleware.MaxBody:
		return nil, errTooLarge
	case len(read) == 0:
		return []byte("{}"), nil
	}
	return read, nil
}

// bodyError says why a body could not be read. What is left over at the end is a
// peer who has gone: nobody reads the answer, and nothing is wrong with us.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return unreadable(connect.CodeDeadlineExceeded)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt), errors.Is(err, io.ErrUnexpectedEOF):
		return booking.Invalid("body", "is not gzip, or cut short")
	default:
		return fmt.Errorf("read a body: %w: %w", context.Canceled, err)
	}
}

// isReadable reports whether a body's compression is gzip or none. The names
// have no case (RFC 9110, section 8.4.1).
func isReadable(r *http.Request) bool {
	encodings := r.Header.Values("Content-Encoding")
	return len(encodings) == 0 || len(encodings) == 1 && slices.Contains([]string{"", "identity", "gzip"}, strings.ToLower(encodings[0]))
}

func isGzip(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") }
