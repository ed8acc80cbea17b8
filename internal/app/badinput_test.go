package app

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"bookings/internal/booking"
)

// bad is a call that is to be refused, or just passes.
type bad struct {
	name string
	call
	// want is the verdict; one that ends with a star leaves the fields open.
	want string
}

// Verdicts that many calls have in common; fields follow.
const (
	invalid = "INVALID_ARGUMENT VALIDATION_FAILED "
	fine    = "OK"
)

// check makes all calls through all doors that the filter lets pass.
func (i *instance) check(calls []bad, through func(door) bool) {
	i.t.Helper()
	for _, door := range doors {
		if !through(door) {
			continue
		}
		for _, bad := range calls {
			if bad.header == nil {
				bad.header = i.as(booking.RoleCustomer, "cara")
			}
			got := door.call(i, bad.call)
			checkVerdict(i.t, door.name+": "+bad.name, got, bad.want)
		}
	}
}

func checkVerdict(t testing.TB, name string, got answer, want string) {
	t.Helper()
	got.checkTold(t)
	start, open := strings.CutSuffix(want, "*")
	if got.verdict() != want && (!open || !strings.HasPrefix(got.verdict(), start)) {
		t.Errorf("%s: got %v, want %s", name, got, want)
	}
}

func anyDoor(door) bool { return true }

func inForm(form string) func(door) bool {
	return func(d door) bool { return d.form == form }
}

// soon is a full hour, some hours ahead.
func soon(hours int) time.Time {
	return time.Now().UTC().Truncate(time.Hour).Add(time.Duration(24+hours) * time.Hour)
}

func stamp(at time.Time) *timestamppb.Timestamp { return timestamppb.New(at) }

// nobodys is an id that no booking has.
const nobodys = "0190c2a4-7000-7000-8000-000000000000"
