package booking_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
)

func TestARequestNamesTwoPartiesAndNobodyElses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		by                 booking.Actor
		provider, customer string
		reason             booking.Reason
		field              string
	}{
		{by: customer, provider: "ben"},
		{by: customer, reason: booking.ReasonValidationFailed, field: "provider_id"},
		{by: customer, provider: "anna", reason: booking.ReasonValidationFailed, field: "customer_id"},
		{by: customer, provider: "ben", customer: "carl", reason: booking.ReasonNotAllowed},
		{by: provider, customer: "anna"},
		{by: provider, reason: booking.ReasonValidationFailed, field: "customer_id"},
		{by: provider, customer: "ben", reason: booking.ReasonValidationFailed, field: "customer_id"},
		{by: provider, provider: "carl", customer: "anna", reason: booking.ReasonNotAllowed},
		{by: booking.Internal, provider: "ben", customer: "anna"},
		{by: booking.Internal, provider: "ben", reason: booking.ReasonValidationFailed, field: "customer_id"},
		{by: booking.Internal, customer: "anna", reason: booking.ReasonValidationFailed, field: "provider_id"},
		{by: booking.Internal, provider: "ben", customer: "ben", reason: booking.ReasonValidationFailed, field: "customer_id"},
	}
	for _, test := range tests {
		resolved, err := booking.Request{ProviderID: test.provider, CustomerID: test.customer, Slot: hourFrom(now)}.Resolve(test.by)
		if reasonOf(t, err) != test.reason || fieldOf(err) != test.field {
			t.Errorf("%s names %q and %q: %v", test.by.Role, test.provider, test.customer, err)
		}
		if err == nil && (resolved.ProviderID != "ben" || resolved.CustomerID != "anna") {
			t.Errorf("%s names %q and %q: %+v", test.by.Role, test.provider, test.customer, resolved)
		}
	}
}

func TestOnlyACustomersBookingHasToBeConfirmed(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("01977d4e-3c1a-7c2b-9d5e-0123456789ab")
	request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now.Add(time.Hour)), Details: booking.Details{Note: " a note\n"}}
	for by, status := range map[booking.Actor]booking.Status{
		customer: booking.StatusPending, provider: booking.StatusConfirmed, booking.Internal: booking.StatusConfirmed,
	} {
		got, event, err := booking.New(id, by, request, now, terms)
		want := booking.Booking{
			ID: id, ProviderID: "ben", CustomerID: "anna", Slot: request.Slot, Status: status, Details: request.Details,
			Reminder: booking.Reminder{Leads: leads, DueTime: request.Slot.Start.Add(-lead), State: booking.ReminderScheduled},
			Version:  1, CreateTime: now, UpdateTime: now,
		}
		if err != nil || !reflect.DeepEqual(got, want) || event.By != by {
			t.Errorf("by %s: %+v, by %+v, %v", by.Role, got, event.By, err)
		}
	}
}

func TestANewBookingStartsWhereItMay(t *testing.T) {
	t.Parallel()
	request := booking.Request{ProviderID: "ben", CustomerID: "anna", Slot: hourFrom(now)}
	for by, want := range map[booking.Actor]booking.Reason{customer: booking.ReasonStartInPast, provider: "", booking.Internal: ""} {
		b, event, err := booking.New(uuid.Max, by, request, now, terms)
		if reasonOf(t, err) != want {
			t.Errorf("by %s: %v", by.Role, err)
		}
		if err != nil && (b.ID != uuid.Nil || event.Type != "") {
			t.Errorf("by %s: refused, and yet %+v, %+v", by.Role, b, event)
		}
	}
}

func TestOnlyACustomersPendingBookingsAreCounted(t *testing.T) {
	t.Parallel()
	const limit = 10
	for _, by := range everyone {
		for _, status := range statuses {
			for others, full := range map[int64]bool{0: false, limit - 1: false, limit: true, limit + 5: true} {
				var want booking.Reason
				if full && by.Role == booking.RoleCustomer && status == booking.StatusPending {
					want = booking.ReasonTooManyPending
				}
				if got := reasonOf(t, booking.CheckPending(booked(status, time.Hour), by, others, limit)); got != want {
					t.Errorf("by %s, %s, besides %d: %q, want %q", by.Role, status, others, got, want)
				}
			}
		}
	}
}
