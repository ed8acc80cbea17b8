package app

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
	"bookings/internal/identity"
)

// silent makes a server's streams say something after so much silence.
func silent(silence time.Duration) func(*Settings) {
	return func(s *Settings) { s.Silence = silence }
}

// wantsCheckpoint reads the next message, which has to be one at a number.
func (s *stream) wantsCheckpoint(number int64) {
	s.t.Helper()
	if !s.Receive() || s.Msg().GetCheckpoint() == nil || s.Msg().GetCheckpoint().GetSequence() != number {
		s.t.Fatalf("instead of a checkpoint at %d came %v, %v", number, s.Msg(), s.Err())
	}
}

// nextEntry reads on to the next entry.
func (s *stream) nextEntry() int64 {
	s.t.Helper()
	for s.Receive() {
		if event := s.Msg().GetEvent(); event != nil {
			return event.GetSequence()
		}
	}
	s.t.Fatalf("instead of an entry came %v", s.Err())
	return 0
}

func TestAStreamFirstSaysItsHeadAndWhenItEnds(t *testing.T) {
	t.Parallel()
	s := startStreaming(t)
	s.Fill(5)
	expiry := time.Now().Add(time.Hour).Truncate(time.Second)
	token, err := identity.Sign([]byte(testSecret), booking.Actor{Role: booking.RoleProvider, ID: "pat"}, "", "", time.Now(), time.Until(expiry))
	if err != nil {
		t.Fatal(err)
	}
	for dialect := range dialects {
		for _, r := range []*bookingsv1.StreamEventsRequest{{}, after(2)} {
			opened := s.live(dialect, r, "Authorization", "Bearer "+token)
			ready := opened.Msg().GetReady()
			if ready.GetHead() != 5 || ready.GetExpireTime().AsTime().Sub(expiry).Abs() > time.Second {
				t.Errorf("%s: %v, not of head 5 and %v", dialect, ready, timestamppb.New(expiry))
			}
			if buffering := opened.ResponseHeader().Get("X-Accel-Buffering"); buffering != "no" {
				t.Errorf("%s: X-Accel-Buffering is %q", dialect, buffering)
			}
			_ = opened.Close()
		}
	}
	service := s.live("gRPC", &bookingsv1.StreamEventsRequest{Role: bookingsv1.Role_ROLE_PROVIDER, UserId: "pat"}, "X-Internal-Token", testInternal)
	if ready := service.Msg().GetReady(); ready.GetHead() != 5 || ready.GetExpireTime() != nil {
		t.Errorf("to a service: %v", ready)
	}
}

// A reader that was live only and is cut off has a number to resume after.
func TestASilentStreamSaysHowFarItHasCome(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, silent(50*time.Millisecond))
	s.Fill(5)
	for dialect := range dialects {
		head := int64(len(s.IDs(s.Provider)))
		live := s.live(dialect, &bookingsv1.StreamEventsRequest{})
		live.wantsCheckpoint(head)
		live.wantsCheckpoint(head)
		s.publish(1)
		if number := live.nextEntry(); number != head+1 {
			t.Errorf("%s: entry %d follows on checkpoint %d", dialect, number, head)
		}
		live.wantsCheckpoint(head + 1)
		_ = live.Close()
		s.publish(2)
		resumed := s.live(dialect, after(head+1))
		for _, want := range []int64{head + 2, head + 3} { // perhaps with a checkpoint before, where the machine is busy
			if number := resumed.nextEntry(); number != want {
				t.Errorf("%s: entry %d came, not %d", dialect, number, want)
			}
		}
		resumed.wantsCheckpoint(head + 3)
		_ = resumed.Close()
	}
}

// While PostgreSQL is away a checkpoint tells of what the reader has, not of
// what there is.
func TestACheckpointPromisesNoMoreThanWasSent(t *testing.T) {
	t.Parallel()
	proxy, url := (*proxy)(nil), ""
	s := startStreaming(t, silent(50*time.Millisecond), func(settings *Settings) {
		proxy, url = newProxy(t, settings.DatabaseURL)
		settings.DatabaseURL = url
	})
	live := s.live("gRPC", &bookingsv1.StreamEventsRequest{})
	lost := s.Write()
	entries := s.Write()
	proxy.stall()
	s.server.feeds.Publish(entries) // shows that one before it is missing, which cannot be read
	for range 5 {
		live.wantsCheckpoint(0)
	}
	s.server.feeds.Publish(lost)
	if first, second := live.nextEntry(), live.nextEntry(); first != 1 || second != 2 {
		t.Errorf("entries %d, %d came", first, second)
	}
	proxy.resume()
}
