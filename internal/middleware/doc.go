// Package middleware is what every door has in common, whatever protocol it speaks:
// the outer handler (request id, log line, panics, sizes, deadlines) and the
// gate (who calls, and whether the limit allows it).
package middleware
