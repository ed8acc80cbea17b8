package bookings

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A proxy that has lost the server behind it answers pings still.
func TestAFeedLeavesALineOnWhichNothingComes(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	proxy.Config.Protocols = Transport().Protocols
	proxy.Start()
	defer proxy.Close()
	client, err := New(Options{URL: proxy.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bounded, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	ctx, cancel := context.WithCancelCause(bounded)
	defer cancel(nil)
	feed := client.Feed(FeedOptions{OnCut: func(err error, _ time.Duration) { cancel(err) }})
	feed.silence = time.Millisecond
	for event, err := range feed.Events(ctx) {
		t.Errorf("it brought %v, %v", event, err)
	}
	if err := context.Cause(ctx); !errors.Is(err, errSilent) {
		t.Errorf("it was cut off by %v", err)
	}
}
