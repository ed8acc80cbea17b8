package bookings

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestATokenIsReplacedBeforeItExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, away := 0, false
		tokens := newTokens(func(context.Context) (Token, error) {
			if away {
				return Token{}, errors.New("the identity provider is away")
			}
			asked++
			return Token{Value: strconv.Itoa(asked), Expires: time.Now().Add(time.Hour)}, nil
		})
		is := func(want string) {
			t.Helper()
			if got, err := tokens.get(t.Context()); got != want || err != nil {
				t.Errorf("at %v the token is %q, %v, not %s", time.Now(), got, err, want)
			}
		}
		is("1")
		time.Sleep(time.Hour - ahead - time.Nanosecond) //nolint:forbidigo // the bubble's time
		is("1")
		time.Sleep(time.Nanosecond) //nolint:forbidigo // the bubble's time
		is("2")

		away = true
		time.Sleep(time.Hour - time.Second) //nolint:forbidigo // the bubble's time
		is("2")                             // the source is away, and it is good still
		time.Sleep(time.Second)             //nolint:forbidigo // the bubble's time
		if got, err := tokens.get(t.Context()); err == nil {
			t.Errorf("an expired token is shown: %q", got)
		}
		away = false
		is("3")
	})
}
