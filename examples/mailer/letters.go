package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	bookingsv1 "bookings/gen/bookings/v1"
)

// texts are what people are told, by the type of the event. With whom they have the
// appointment and when stands in them.
var texts = map[string]string{
	"booking.created":      "an appointment with %s on %s was made",
	"booking.confirmed":    "your appointment with %s on %s was confirmed",
	"booking.cancelled":    "your appointment with %s on %s was cancelled",
	"booking.rescheduled":  "your appointment with %s was moved to %s",
	"booking.reminder.due": "remember your appointment with %s on %s",
}

// types are those that people are told of.
func types() []string { return slices.Sorted(maps.Keys(texts)) }

// letters are what an event says to both parties, a line each. A real mailer looks
// their addresses up by their ids, and gives its provider the event's id and the
// user's as the idempotency key: what is sent twice then arrives once.
func letters(event *bookingsv1.Event) string {
	data := event.GetData().AsMap()
	customer, provider := fmt.Sprint(data["customerId"]), fmt.Sprint(data["providerId"])
	start := fmt.Sprint(data["startTime"])
	if at, err := time.Parse(time.RFC3339, start); err == nil {
		start = at.UTC().Format("Mon 2 Jan 2006 at 15:04 UTC")
	}
	to := func(user, other string) string {
		return fmt.Sprintf("%d to %s: "+texts[event.GetType()]+"\n", event.GetSequence(), user, other, start)
	}
	return to(customer, provider) + to(provider, customer)
}
