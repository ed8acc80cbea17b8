package booking

import "time"

// Change is one thing to do with a booking: a value made by Confirm,
// Reschedule, Cancel, Complete or MarkNoShow, and applied by Apply.
type Change struct {
	Action Action
	event  EventType
	// holds tells that the booking is already as the change would make it.
	holds func(Booking) bool
	// apply makes the change on a copy; it is asked once the rules agree.
	apply func(b *Booking, event *EventData, by Actor, now time.Time) error
}

// Apply is the booking after the change and the event that reports it. A change
// that already holds gives the booking unchanged and no event, whatever the
// etag. An empty etag matches any version. It fails with ETAG_MISMATCH or
// INVALID_TRANSITION, or as Slot.CheckStart does.
func (c Change) Apply(b Booking, by Actor, etag string, now time.Time) (Booking, *Event, error) {
	if c.holds(b) {
		return b, nil, nil
	}
	if etag != "" && etag != b.Etag() {
		return b, nil, Errorf(ReasonEtagMismatch, "the booking has changed: its etag is no longer the one given")
	}
	r := ruleFor(c.Action)
	if err := r.checkStatus(b); err != nil {
		return b, nil, err
	}
	if err := r.checkTime(b, by, now); err != nil {
		return b, nil, err
	}
	changed, data := b, EventData{}
	if err := c.apply(&changed, &data, by, now); err != nil {
		return b, nil, err
	}
	changed.Version++
	changed.UpdateTime = now
	event := newEventWith(c.event, changed, by, now, data)
	return changed, &event, nil
}

// Confirm agrees to a PENDING booking.
func Confirm() Change {
	return Change{
		Action: ActionConfirm,
		event:  EventConfirmed,
		holds:  hasStatus(StatusConfirmed),
		apply:  settle(StatusConfirmed),
	}
}

// Complete records that a booking took place.
func Complete() Change {
	return Change{
		Action: ActionComplete,
		event:  EventCompleted,
		holds:  hasStatus(StatusCompleted),
		apply:  settle(StatusCompleted),
	}
}

// MarkNoShow records that the customer did not come.
func MarkNoShow() Change {
	return Change{
		Action: ActionMarkNoShow,
		event:  EventNoShow,
		holds:  hasStatus(StatusNoShow),
		apply:  settle(StatusNoShow),
	}
}

// Cancel calls a booking off, with a reason that may be empty.
func Cancel(reason string) Change {
	return Change{
		Action: ActionCancel,
		event:  EventCancelled,
		holds:  hasStatus(StatusCancelled),
		apply: func(b *Booking, data *EventData, by Actor, now time.Time) error {
			b.Cancellation = &Cancellation{Reason: reason, By: by.Role, Time: now}
			data.Reason, data.CancelledBy = &reason, roleName(by.Role)
			return settle(StatusCancelled)(b, data, by, now)
		},
	}
}

// Reschedule moves a booking in place. Moved by its customer it is PENDING
// again. lead is how long before the new start the new reminder is due.
func Reschedule(to Slot, lead time.Duration) Change {
	return Change{
		Action: ActionReschedule,
		event:  EventRescheduled,
		holds:  func(b Booking) bool { return b.Status.Active() && b.Slot.Equal(to) },
		apply: func(b *Booking, data *EventData, by Actor, now time.Time) error {
			if err := to.CheckStart(by, now); err != nil {
				return err
			}
			data.PreviousStartTime, data.PreviousEndTime = timeName(b.Slot.Start), timeName(b.Slot.End)
			b.Slot = to
			b.Moves++
			b.Reminder = newReminder(to.Start, now, lead)
			if by.Role == RoleCustomer {
				b.Status = StatusPending
			}
			return nil
		},
	}
}

func hasStatus(status Status) func(Booking) bool {
	return func(b Booking) bool { return b.Status == status }
}

// settle moves a booking to a status; one that is over needs no reminder.
func settle(status Status) func(*Booking, *EventData, Actor, time.Time) error {
	return func(b *Booking, _ *EventData, _ Actor, _ time.Time) error {
		b.Status = status
		if !status.Active() {
			b.Reminder = b.Reminder.skipped()
		}
		return nil
	}
}
