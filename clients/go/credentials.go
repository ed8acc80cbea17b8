package bookings

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"
)

// credentials is the interceptor that says who calls.
type credentials struct {
	tokens   *tokens // nil: none
	internal string
}

func newCredentials(options Options) (*credentials, error) {
	switch {
	case options.Token != nil && options.InternalToken != "":
		return nil, errors.New("bookings: a client is a user's or an internal service's, not both")
	case options.Token != nil:
		return &credentials{tokens: newTokens(options.Token)}, nil
	default:
		return &credentials{internal: options.InternalToken}, nil
	}
}

// put writes who calls into a header, and returns the token that says so.
func (c *credentials) put(ctx context.Context, header http.Header) (used string, err error) {
	if c.internal != "" {
		header.Set("X-Internal-Token", c.internal)
	}
	if c.tokens == nil {
		return "", nil
	}
	if used, err = c.tokens.get(ctx); err == nil {
		header.Set("Authorization", "Bearer "+used)
	}
	return used, err
}

// refused tells whether a call failed for its token alone, of which there may be
// another by now.
func (c *credentials) refused(ctx context.Context, used string, err error) bool {
	if c.tokens == nil {
		return false
	}
	switch Reason(err) {
	case ReasonTokenExpired, ReasonTokenInvalid:
		c.tokens.refuse(ctx, used, err)
		return true
	default:
		return false
	}
}

// WrapUnary makes a call once more where its token was refused: the server looks at
// nothing before the token, so that nothing was done.
func (c *credentials) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		used, err := c.put(ctx, request.Header())
		if err != nil {
			return nil, err
		}
		response, err := next(ctx, request)
		if !c.refused(ctx, used, err) {
			return response, err
		}
		if _, err := c.put(ctx, request.Header()); err != nil {
			return nil, err
		}
		return next(ctx, request)
	}
}

// WrapStreamingClient opens a stream with a token; whoever opens it again after a
// refusal has another.
func (c *credentials) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		used, err := c.put(ctx, conn.RequestHeader())
		if err != nil {
			return unopened{conn, err}
		}
		return &stream{StreamingClientConn: conn, ended: func(err error) { c.refused(ctx, used, err) }}
	}
}

// WrapStreamingHandler is for servers.
func (*credentials) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// stream is one with a token.
type stream struct {
	connect.StreamingClientConn

	ended func(error)
}

// Receive waits for a message, and sees why there is none.
func (s *stream) Receive(message any) error {
	err := s.StreamingClientConn.Receive(message)
	s.ended(err)
	return err
}

// unopened is a stream that nobody opens, for want of a token.
type unopened struct {
	connect.StreamingClientConn

	err error
}

// Send says why.
func (u unopened) Send(any) error { return u.err }

// CloseRequest does nothing: connect's would open it.
func (unopened) CloseRequest() error { return nil }

// CloseResponse does nothing: connect's would wait for it.
func (unopened) CloseResponse() error { return nil }
