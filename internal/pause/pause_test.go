package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bookings/internal/pause"
)

func TestAPauseLastsItsTimeOrUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ends time.Duration // of the context
		took time.Duration
		goOn bool
	}{
		"its time":                  {ends: time.Hour, took: time.Minute, goOn: true},
		"a context that ends first": {ends: time.Second, took: time.Second, goOn: false},
		"a context that has ended":  {ends: -time.Second, took: 0, goOn: false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithDeadline(t.Context(), began.Add(test.ends))
				defer cancel()
				if goOn, took := pause.For(ctx, time.Minute), time.Since(began); goOn != test.goOn || took != test.took {
					t.Errorf("it took %v and said %v", took, goOn)
				}
			})
		})
	}
}
