package booking_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

// common are the facts that every event tells, as they are after the change.
func common(b booking.Booking) map[string]any {
	facts := map[string]any{
		"bookingId": b.ID.String(), "providerId": b.ProviderID, "customerId": b.CustomerID,
		"startTime": b.Slot.Start.Format(time.RFC3339Nano), "endTime": b.Slot.End.Format(time.RFC3339Nano),
		"status": "BOOKING_STATUS_" + string(b.Status), "version": float64(b.Version),
	}
	if len(b.Metadata) > 0 {
		facts["metadata"] = asAny(b.Metadata)
	}
	return facts
}

func asAny(metadata booking.Metadata) map[string]any {
	facts := map[string]any{}
	for key, value := range metadata {
		facts[key] = value
	}
	return facts
}

func TestAnEventTellsTheBookingAsItIsAfterTheChange(t *testing.T) {
	t.Parallel()
	old := booked(booking.StatusConfirmed, -time.Hour)
	tests := map[booking.Action]struct {
		kind  booking.EventType
		extra map[string]any
	}{
		booking.ActionConfirm:    {booking.EventConfirmed, nil},
		booking.ActionComplete:   {booking.EventCompleted, nil},
		booking.ActionMarkNoShow: {booking.EventNoShow, nil},
		booking.ActionCancel:     {booking.EventCancelled, map[string]any{"reason": "ill", "cancelledBy": "ROLE_PROVIDER"}},
		booking.ActionReschedule: {booking.EventRescheduled, map[string]any{
			"previousStartTime": old.Slot.Start.Format(time.RFC3339Nano), "previousEndTime": old.Slot.End.Format(time.RFC3339Nano),
		}},
	}
	for action, test := range tests {
		before := old
		if action == booking.ActionConfirm {
			before.Status = booking.StatusPending
		}
		after, event, err := change(action).Apply(before, provider, "", now)
		if err != nil {
			t.Fatal(err)
		}
		want := common(after)
		maps.Copy(want, test.extra)
		checkEvent(t, *event, test.kind, provider, after, want)
	}
}

func TestAnUpdateTellsTheMetadataAndNotTheNote(t *testing.T) {
	t.Parallel()
	before := booked(booking.StatusNoShow, -time.Hour)
	for _, metadata := range []booking.Metadata{{"service": "shave"}, {}, nil} {
		patch := booking.Patch{Note: new("not for events"), Metadata: &metadata}
		after, event, err := booking.Update(patch).Apply(before, customer, "", now)
		if err != nil {
			t.Fatal(err)
		}
		checkEvent(t, *event, booking.EventUpdated, customer, after, common(after))
	}
}

func TestACreationIsAnEvent(t *testing.T) {
	t.Parallel()
	request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now.Add(time.Hour)), Details: booking.Details{Note: "not for events", Metadata: booking.Metadata{"a": ""}}}
	b, event, err := booking.New(uuid.Max, customer, request, now, terms)
	if err != nil {
		t.Fatal(err)
	}
	checkEvent(t, event, booking.EventCreated, customer, b, common(b))
}

func TestAReminderTellsTheStartAndTheLeadAlone(t *testing.T) {
	t.Parallel()
	b := booked(booking.StatusConfirmed, lead)
	want := common(b)
	delete(want, "endTime")
	delete(want, "status")
	want["leadSeconds"] = lead.Seconds()
	_, event := b.Remind(b.Moves, lead, nil, now)
	checkEvent(t, *event, booking.EventReminderDue, booking.Internal, b, want)
}

func checkEvent(t *testing.T, event booking.Event, kind booking.EventType, by booking.Actor, b booking.Booking, want map[string]any) {
	t.Helper()
	text, err := json.Marshal(event.Data)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if event.Type != kind || !reflect.DeepEqual(got, want) {
		t.Errorf("%s, want %s:\n%v\n%v", event.Type, kind, got, want)
	}
	if event.By != by || !event.Time.Equal(now) || !event.StartTime.Equal(b.Slot.Start) || event.BookingID != b.ID {
		t.Errorf("%s: by %+v at %v of the start %v", kind, event.By, event.Time, event.StartTime)
	}
}

// An empty reason is told, too: readers need not ask whether the key is there.
func TestACancellationTellsAReasonThatIsEmpty(t *testing.T) {
	t.Parallel()
	for by, name := range map[booking.Actor]string{
		customer: "ROLE_CUSTOMER", provider: "ROLE_PROVIDER", booking.Internal: "ROLE_INTERNAL",
	} {
		after, event, err := booking.Cancel("").Apply(booked(booking.StatusPending, time.Hour), by, "", now)
		if err != nil {
			t.Fatal(err)
		}
		want := common(after)
		want["reason"], want["cancelledBy"] = "", name
		checkEvent(t, *event, booking.EventCancelled, by, after, want)
	}
}

func TestEventsSpellTimesInUTC(t *testing.T) {
	t.Parallel()
	b := booked(booking.StatusConfirmed, 0)
	b.Slot.Start = b.Slot.Start.In(time.FixedZone("Kathmandu", 20_700)).Add(120 * time.Microsecond)
	_, event, err := booking.Cancel("").Apply(b, provider, "", now)
	if err != nil {
		t.Fatal(err)
	}
	if got := event.Data.StartTime; got != "2031-03-04T09:30:00.00012Z" {
		t.Errorf("startTime = %s", got)
	}
}
