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
		s := &stream{StreamingClientConn: next(ctx, spec), ctx: ctx, credentials: c}
		s.used, s.err = c.put(ctx, s.RequestHeader())
		return s
	}
}

// WrapStreamingHandler is for servers.
func (*credentials) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// stream is one with a token, or one that cannot be opened for want of it.
type stream struct {
	connect.StreamingClientConn

	ctx         context.Context //nolint:containedctx // the stream's own: connect's Receive takes none
	credentials *credentials
	used        string
	err         error // why there is no token
}

// Send sends the request, which opens the stream.
func (s *stream) Send(message any) error {
	if s.err != nil {
		return s.err
	}
	return s.StreamingClientConn.Send(message)
}

// Receive waits for a message.
func (s *stream) Receive(message any) error {
	err := s.StreamingClientConn.Receive(message)
	s.credentials.refused(s.ctx, s.used, err)
	return err
}

// CloseRequest does not open what was never opened.
func (s *stream) CloseRequest() error {
	if s.err != nil {
		return nil
	}
	return s.StreamingClientConn.CloseRequest()
}

// CloseResponse does not wait for what was never opened.
func (s *stream) CloseResponse() error {
	if s.err != nil {
		return nil
	}
	return s.StreamingClientConn.CloseResponse()
}
