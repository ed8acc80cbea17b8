package rpcapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"bookings/internal/apierror"
	"bookings/internal/identity"
	"bookings/internal/middleware"
)

// callDeadline bounds a unary call, so that a hung database is answered for: the
// promise is 10 seconds, and the answer takes its time too.
const callDeadline = 8 * time.Second

// door is what every call passes through on its way to a method, whatever the
// protocol: the gate, then the interceptor. REST calls the same steps.
type door struct {
	apierror.Responder
	gate      *middleware.Gate
	validator validator
}

// admit asks the gate who calls, before the body is read: a stranger's 64 KiB are
// not worth decoding, and a refusal tells nothing of what was sent.
func (d *door) admit(ctx context.Context, procedure string, header http.Header, through middleware.Door) (admitted context.Context, err error) {
	defer d.recovered(ctx, &err)
	record := middleware.From(ctx)
	record.SetMethod(procedure)
	// Whatever is answered is about somebody's bookings, as they are now.
	record.Header().Set("Cache-Control", "no-store")
	return d.gate.Admit(ctx, identity.FromHeader(header), through)
}

// gateConnect is admit for connect, which knows by verb and media type which
// protocol is spoken.
func (d *door) gateConnect(ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header) (context.Context, error) {
	through := middleware.DoorGRPC
	if peer.Protocol == connect.ProtocolConnect {
		through = middleware.DoorHTTP
	}
	admitted, err := d.admit(ctx, spec.Procedure, header, through)
	if err != nil {
		return nil, d.ToConnect(ctx, err)
	}
	return admitted, nil
}

// accept makes a message that has been decoded ready for its method: headers
// that say the same as fields first, since they are validated too.
func (d *door) accept(header http.Header, message proto.Message) error {
	if err := mergeHeaders(header, message); err != nil {
		return err
	}
	return d.validator.validate(message)
}

// run bounds a unary call in time and makes an error of its panic.
func (d *door) run(ctx context.Context, call func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, callDeadline)
	defer cancel()
	defer d.recovered(ctx, &err)
	return call(ctx)
}

// recovered makes a panic an internal error, in the protocol that is spoken. The
// outer handler would catch it too, but could only answer in plain text, which a
// gRPC client cannot read. connect's own option does not cover its gate.
func (d *door) recovered(ctx context.Context, err *error) {
	panicked := recover()
	switch panicked {
	case nil:
	case http.ErrAbortHandler: // how a handler asks net/http to cut the connection
		panic(panicked)
	default:
		*err = d.Internal(ctx, "panic", "panic", panicked, "stack", string(debug.Stack()))
	}
}

// WrapUnary implements connect.Interceptor.
func (d *door) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (response connect.AnyResponse, err error) {
		middleware.From(ctx).SetRoute(request.Spec().Procedure) // of probes nobody has, as they pass no gate
		err = d.run(ctx, func(ctx context.Context) error {
			if err := d.receive(request.Header(), request.Any()); err != nil {
				return err
			}
			response, err = next(ctx, request)
			return err
		})
		if err != nil {
			return nil, d.ToConnect(ctx, err)
		}
		middleware.From(ctx).MarkAnswered("ok")
		return response, nil
	}
}

// receive decodes and accepts a message that came through connect. Until here it
// is undecoded (see deferredCodec), so nothing may look into it before.
func (d *door) receive(header http.Header, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no proto message", message)
	}
	if err := decodeDeferred(m); err != nil {
		return err
	}
	return d.accept(header, m)
}

// WrapStreamingHandler implements connect.Interceptor.
func (d *door) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		middleware.From(ctx).SetRoute(conn.Spec().Procedure)
		err := d.stream(ctx, next, conn)
		// What ends the stream must leave, too.
		middleware.From(ctx).WriteUntil(time.Now().Add(sendWithin))
		if err != nil {
			return d.ToConnect(ctx, err)
		}
		middleware.From(ctx).MarkAnswered("ok")
		return nil
	}
}

func (d *door) stream(ctx context.Context, next connect.StreamingHandlerFunc, conn connect.StreamingHandlerConn) (err error) {
	defer d.recovered(ctx, &err)
	return next(ctx, &receivingConn{StreamingHandlerConn: conn, ctx: ctx, door: d})
}

// WrapStreamingClient implements connect.Interceptor; there is no client here.
func (d *door) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// receivingConn decodes and accepts what a stream receives: connect shows an
// interceptor the first message of a stream only as it is received.
type receivingConn struct {
	connect.StreamingHandlerConn
	ctx  context.Context //nolint:containedctx // Receive has no context of its own
	door *door
}

// Receive implements connect.StreamingHandlerConn.
func (c *receivingConn) Receive(message any) error {
	switch err := c.StreamingHandlerConn.Receive(message); {
	case errors.Is(err, io.EOF):
		return err
	case err != nil:
		return unreadable(connect.CodeOf(err))
	}
	if err := c.door.receive(c.RequestHeader(), message); err != nil {
		return err
	}
	// Whatever is sent from here on is ours.
	middleware.From(c.ctx).MarkAnswered("ok")
	return nil
}
