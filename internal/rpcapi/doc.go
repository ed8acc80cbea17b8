// Package rpcapi is the door for calls: Connect, gRPC, gRPC-Web and REST over
// the same methods. It is thin: it knows no rule of bookings and no SQL. A call
// passes these steps, in this order whatever the protocol:
//
//  1. connect, or rest.go, finds the method; what they cannot take (a path, a
//     verb, a media type) is said in our words (errorrewriter.go);
//  2. the gate says who calls and counts it, before the body is read;
//  3. codec.go decodes the message, headers.go adds what headers say,
//     validator.go holds it against the proto's rules;
//  4. the method (bookings.go, events.go, stream.go) calls a use case and
//     convert.go spells its answer, and encode.go writes its JSON;
//  5. an error becomes what the protocol says of it (package apierror).
//
// interceptor.go ties the steps together for connect, restmethod.go for REST.
package rpcapi
