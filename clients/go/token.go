package bookings

import (
	"context"
	"fmt"
	"time"
)

// Token is what a user shows, and until when it is good. A token without an end is used
// until the server refuses it.
type Token struct {
	Value   string
	Expires time.Time
}

// TokenSource gives a token that is good now. It is asked by one goroutine at a time:
// at first, before the last token expires, and once after the server has refused one.
type TokenSource func(ctx context.Context) (Token, error)

// StaticToken is a source that has one token.
func StaticToken(value string) TokenSource {
	return func(context.Context) (Token, error) { return Token{Value: value}, nil }
}

// ahead is how long before its end a token is replaced; of a short one, a quarter of
// the time that it has left.
const ahead = time.Minute

// tokens keeps a source's token.
type tokens struct {
	source TokenSource

	turn    chan struct{} // whoever has put something in may use what follows
	token   Token
	renewal time.Time // when the source is asked again; zero: once the token is refused
	refusal error     // why the server has refused the token; nil: it has not
}

func newTokens(source TokenSource) *tokens {
	return &tokens{source: source, turn: make(chan struct{}, 1)}
}

// get returns the token to show. Where the one that was refused is all that the source
// has, it returns the refusal, once: there is no use in showing it again.
func (t *tokens) get(ctx context.Context) (string, error) {
	if err := t.enter(ctx); err != nil {
		return "", err
	}
	defer t.leave()
	if t.isGood(time.Now()) {
		return t.token.Value, nil
	}
	next, err := t.source(ctx)
	refused, refusal := t.token.Value, t.refusal
	switch {
	case err != nil && refusal == nil && time.Now().Before(t.token.Expires):
		return t.token.Value, nil // the next call asks again
	case err != nil:
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	t.take(next, time.Now())
	if refusal != nil && next.Value == refused {
		return "", refusal
	}
	return next.Value, nil
}

func (t *tokens) isGood(now time.Time) bool {
	return t.token.Value != "" && t.refusal == nil && (t.renewal.IsZero() || now.Before(t.renewal))
}

func (t *tokens) take(next Token, now time.Time) {
	t.token, t.renewal, t.refusal = next, time.Time{}, nil
	if !next.Expires.IsZero() {
		t.renewal = next.Expires.Add(-min(ahead, next.Expires.Sub(now)/4))
	}
}

// refuse notes that the server has refused a token, if it is still the one to show.
func (t *tokens) refuse(ctx context.Context, value string, why error) {
	if t.enter(ctx) != nil {
		return
	}
	defer t.leave()
	if t.token.Value == value {
		t.refusal = why
	}
}

func (t *tokens) enter(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a token: %w", ctx.Err())
	}
}

func (t *tokens) leave() { <-t.turn }
