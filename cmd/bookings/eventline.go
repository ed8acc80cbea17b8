package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	bookingsv1 "bookings/gen/bookings/v1"
)

// Colours of a terminal (ECMA-48, SGR).
const (
	red     = "\x1b[31m"
	green   = "\x1b[32m"
	yellow  = "\x1b[33m"
	blue    = "\x1b[34m"
	magenta = "\x1b[35m"
	cyan    = "\x1b[36m"
	dim     = "\x1b[2m"
	plain   = "\x1b[0m"
)

// colours are by what has happened.
var colours = map[string]string{
	"booking.created":      cyan,
	"booking.confirmed":    green,
	"booking.completed":    green,
	"booking.rescheduled":  yellow,
	"booking.updated":      blue,
	"booking.cancelled":    red,
	"booking.no_show":      red,
	"booking.reminder.due": magenta,
}

// eventLine tells an event to a person at a terminal, in one line: its number, when it
// happened and what, whose booking it is of and when that is, in the reader's zone.
func eventLine(event *bookingsv1.Event, zone *time.Location) string {
	data := event.GetData().GetFields()
	parts := []string{
		dim + fmt.Sprintf("%5d", event.GetSequence()),
		event.GetTime().AsTime().In(zone).Format(time.TimeOnly) + plain,
		colours[event.GetType()] + fmt.Sprintf("%-12s", strings.TrimPrefix(event.GetType(), "booking.")) + plain,
		text(data, "customerId") + " at " + text(data, "providerId"),
		slot(data, zone),
	}
	if reason := data["reason"].GetStringValue(); reason != "" {
		parts = append(parts, strconv.Quote(reason))
	}
	return strings.Join(append(parts, dim+event.GetSubject()+plain), "  ") + "\n"
}

// slot is a booking's time; a reminder tells its start alone.
func slot(data map[string]*structpb.Value, zone *time.Location) string {
	start, err := time.Parse(time.RFC3339Nano, data["startTime"].GetStringValue())
	if err != nil {
		return text(data, "startTime")
	}
	when := start.In(zone).Format("Mon 2 Jan 2006 15:04")
	if end, err := time.Parse(time.RFC3339Nano, data["endTime"].GetStringValue()); err == nil {
		when += end.In(zone).Format("–15:04")
	}
	return when
}

// text is what others have written, with nothing in it that a terminal would obey.
func text(data map[string]*structpb.Value, name string) string {
	quoted := strconv.Quote(data[name].GetStringValue())
	return quoted[1 : len(quoted)-1]
}
