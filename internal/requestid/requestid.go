// Package requestid names requests: the id is in every log line of a request,
// in its answer, and in the job that a booking leaves behind.
package requestid

import (
	"context"
	"regexp"

	"github.com/google/uuid"
)

// Header carries the id, on requests and answers.
const Header = "X-Request-Id"

var acceptable = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Choose takes over what the caller sent, where that is 1 to 64 characters of
// [A-Za-z0-9._-], and makes an id otherwise.
func Choose(given string) string {
	if acceptable.MatchString(given) {
		return given
	}
	return uuid.NewString()
}

type contextKey struct{}

// NewContext gives the context of a request its id.
func NewContext(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From is the id of the request that the context belongs to, or empty.
func From(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}
