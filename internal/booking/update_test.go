package booking_test

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"bookings/internal/booking"
)

func TestWhatIsWrittenIsChangedInEveryStatusByEitherPartyAtAnyTime(t *testing.T) {
	t.Parallel()
	for _, status := range statuses {
		for _, by := range everyone {
			for _, startsIn := range []time.Duration{-time.Hour, 0, time.Hour} {
				before := booked(status, startsIn)
				want := before
				want.Details = booking.Details{Note: "another", Metadata: booking.Metadata{"b": "2"}}
				want.Version, want.UpdateTime = before.Version+1, now
				patch := booking.Patch{Note: new("another"), Metadata: &want.Metadata}
				after, event, err := do(before, by, booking.Update(patch), before.Etag())
				if err != nil || event == nil || !reflect.DeepEqual(after, want) {
					t.Errorf("%s by %s, starts in %v: event %v, %v\n%+v\n%+v", status, by.Role, startsIn, event, err, after, want)
				}
			}
		}
	}
}

func TestAnUpdateLeavesWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	before := booked(booking.StatusConfirmed, time.Hour)
	for name, test := range map[string]struct {
		patch booking.Patch
		want  booking.Details
	}{
		"a note":      {booking.Patch{Note: new("another")}, booking.Details{Note: "another", Metadata: before.Metadata}},
		"no note":     {booking.Patch{Note: new("")}, booking.Details{Metadata: before.Metadata}},
		"metadata":    {booking.Patch{Metadata: &booking.Metadata{"a": ""}}, booking.Details{Note: before.Note, Metadata: booking.Metadata{"a": ""}}},
		"no metadata": {booking.Patch{Metadata: new(booking.Metadata)}, booking.Details{Note: before.Note}},
	} {
		after, _, err := booking.Update(test.patch).Apply(before, customer, "", now)
		if err != nil || after.Note != test.want.Note || !maps.Equal(after.Metadata, test.want.Metadata) {
			t.Errorf("%s: %+v, %v", name, after.Details, err)
		}
	}
}

// Whoever tries again has an old etag.
func TestAnUpdateToWhatIsWrittenIsNoChangeWhateverTheEtag(t *testing.T) {
	t.Parallel()
	before := booked(booking.StatusCancelled, -time.Hour)
	same := booking.Metadata{"price": "20", "service": "cut"}
	for name, patch := range map[string]booking.Patch{
		"nothing": {}, "the note": {Note: &before.Note}, "the metadata": {Metadata: &same}, "both": {Note: &before.Note, Metadata: &same},
	} {
		after, event, err := booking.Update(patch).Apply(before, customer, `W/"1"`, now)
		if err != nil || event != nil || !reflect.DeepEqual(after, before) {
			t.Errorf("%s: %+v, event %v, %v", name, after, event, err)
		}
	}
	_, event, err := booking.Update(booking.Patch{Note: new("another")}).Apply(before, customer, `W/"1"`, now)
	if reasonOf(t, err) != booking.ReasonEtagMismatch || event != nil {
		t.Errorf("another note by an old etag: event %v, %v", event, err)
	}
}

// An empty value is an entry, and none is not.
func TestMetadataDifferByEachEntry(t *testing.T) {
	t.Parallel()
	before := booked(booking.StatusPending, time.Hour)
	for _, metadata := range []booking.Metadata{
		nil, {"service": "cut"}, {"service": "cut", "price": ""}, {"service": "cut", "Price": "20"}, {"service": "cut", "price": "20", "a": ""},
	} {
		if _, event, err := booking.Update(booking.Patch{Metadata: &metadata}).Apply(before, customer, "", now); event == nil || err != nil {
			t.Errorf("%v: event %v, %v", metadata, event, err)
		}
	}
}
