package rpcapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"bookings/internal/apierror"
	"bookings/internal/edge"
	"bookings/internal/identity"
)

// callDeadline bounds a unary call, so that a hung database is answered for.
const callDeadline = 8 * time.Second

// door is the gate and the interceptor in front of every handler.
type door struct {
	apierror.Answerer
	gate  *edge.Gate
	shape shape
}

// admit is the gate: it runs before the body is read.
func (d *door) admit(ctx context.Context, spec connect.Spec, _ connect.Peer, header http.Header) (admitted context.Context, err error) {
	defer d.recovered(ctx, &err)
	edge.From(ctx).SetMethod(spec.Procedure)
	// Whatever is answered is about somebody's bookings, as they are now.
	edge.From(ctx).Header().Set("Cache-Control", "no-store")
	admitted, err = d.gate.Admit(ctx, identity.FromHeader(header), takesInternalToken(ctx))
	if err != nil {
		return nil, d.Answer(ctx, err)
	}
	return admitted, nil
}

// WrapUnary implements connect.Interceptor.
func (d *door) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (response connect.AnyResponse, err error) {
		ctx, cancel := context.WithTimeout(ctx, callDeadline)
		defer cancel()
		defer d.recovered(ctx, &err)
		if err := d.checkMessage(ctx, request.Header(), request.Any()); err != nil {
			return nil, d.Answer(ctx, err)
		}
		response, err = next(ctx, request)
		if err != nil {
			return nil, d.Answer(ctx, err)
		}
		edge.From(ctx).Answer("ok")
		return response, nil
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (d *door) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		defer d.recovered(ctx, &err)
		if err := next(ctx, &checkedConn{StreamingHandlerConn: conn, ctx: ctx, door: d}); err != nil {
			return d.Answer(ctx, err)
		}
		edge.From(ctx).Answer("ok")
		return nil
	}
}

// WrapStreamingClient implements connect.Interceptor; there is no client here.
func (d *door) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// checkedConn checks the shape of what a stream receives.
type checkedConn struct {
	connect.StreamingHandlerConn
	ctx  context.Context //nolint:containedctx // Receive has no context of its own
	door *door
}

// Receive implements connect.StreamingHandlerConn.
func (c *checkedConn) Receive(message any) error {
	switch err := c.StreamingHandlerConn.Receive(message); {
	case errors.Is(err, io.EOF):
		return err
	case err != nil:
		return unreadable(connect.CodeOf(err))
	}
	if err := c.door.checkMessage(c.ctx, c.RequestHeader(), message); err != nil {
		return err
	}
	// Whatever is sent from here on is ours.
	edge.From(c.ctx).Answer("ok")
	return nil
}

func (d *door) checkMessage(ctx context.Context, header http.Header, message any) error {
	if m, ok := message.(proto.Message); ok {
		return d.shape.check(ctx, header, m)
	}
	return nil
}

// recovered makes a panic an internal error, on every door.
func (d *door) recovered(ctx context.Context, err *error) {
	panicked := recover()
	switch panicked {
	case nil:
	case http.ErrAbortHandler: // how a handler asks net/http to cut the connection
		panic(panicked)
	default:
		*err = d.Answer(ctx, d.Internal(ctx, "panic", "panic", panicked, "stack", string(debug.Stack())))
	}
}
