// Package rpcapi is the door for calls: Connect, gRPC, gRPC-Web and REST over
// the same handlers. It is thin: it decodes, asks the gate, checks the shape
// that the proto demands, calls a use case, and says what came of it in the
// protocol that was spoken. It knows no rule of bookings and no SQL.
package rpcapi
