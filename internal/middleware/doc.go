// Package middleware is what every door has in common, whatever protocol it speaks:
// the outer handler (request id, log line, panics, sizes, deadlines), the gate
// (who calls, and whether the limit allows it), and the one wrapper of answers,
// which holds back what a library refuses so that it can be said in our words.
package middleware
