package main

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
)

var colour = regexp.MustCompile("\x1b\\[[0-9]+m")

func TestAnEventIsOneLineOnATerminal(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 2*60*60)
	happened := timestamppb.New(time.Date(2026, 11, 29, 12, 14, 8, 0, time.UTC))
	for name, test := range map[string]struct {
		kind string
		data map[string]any
		want string
	}{
		"a booking": {
			"booking.created",
			map[string]any{"endTime": "2026-11-30T13:00:00Z"},
			"    7  14:14:08  created       alice at bob  Mon 30 Nov 2026 14:00–15:00  an-id\n",
		},
		"a cancellation": {
			"booking.cancelled",
			map[string]any{"endTime": "2026-11-30T13:00:00Z", "reason": "ill"},
			"    7  14:14:08  cancelled     alice at bob  Mon 30 Nov 2026 14:00–15:00  \"ill\"  an-id\n",
		},
		"a reminder": {
			"booking.reminder.due", nil,
			"    7  14:14:08  reminder.due  alice at bob  Mon 30 Nov 2026 14:00  an-id\n",
		},
		"what a terminal would obey": {
			"booking.updated",
			map[string]any{"customerId": "a\x1b[31ml\n", "reason": "\x1b]0;title\a"},
			`    7  14:14:08  updated       a\x1b[31ml\n at bob  Mon 30 Nov 2026 14:00  "\x1b]0;title\a"  an-id` + "\n",
		},
	} {
		data := map[string]any{"customerId": "alice", "providerId": "bob", "startTime": "2026-11-30T12:00:00Z"}
		maps.Copy(data, test.data)
		fields, err := structpb.NewStruct(data)
		if err != nil {
			t.Fatal(err)
		}
		line := eventLine(&bookingsv1.Event{Type: test.kind, Sequence: 7, Time: happened, Subject: "an-id", Data: fields}, zone)
		if got := colour.ReplaceAllString(line, ""); got != test.want {
			t.Errorf("%s:\n%q\n%q", name, got, test.want)
		}
		if !strings.HasSuffix(line, plain+"\n") {
			t.Errorf("%s: the colour stays: %q", name, line)
		}
	}
}

// An event without a colour would be one that this page does not know.
func TestEachTypeOfEventHasAColour(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"created", "confirmed", "cancelled", "rescheduled", "updated", "completed", "no_show", "reminder.due"} {
		if colours["booking."+kind] == "" {
			t.Errorf("%s has none", kind)
		}
	}
}
