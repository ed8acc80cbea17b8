package bookingsvc_test

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
)

// fill books two customers at two providers, with many equal starts: at each
// hour one booking at each provider, and cancelled ones besides.
func (d *desk) fill() []booking.Booking {
	d.t.Helper()
	var made []booking.Booking
	for hour := 1; hour <= 6; hour++ {
		for _, provider := range []booking.Actor{ben, dora} {
			for _, customer := range []booking.Actor{carl, anna} {
				request := at(hour)
				request.ProviderID, request.CustomerID = provider.ID, customer.ID
				b := d.book(booking.Internal, request)
				if customer == carl || hour == 6 {
					b = d.do(provider, b, booking.Cancel(""))
				}
				made = append(made, b)
			}
		}
	}
	made[3] = d.do(dora, made[3], booking.Cancel("")) // and asked for anew by the customer
	request := at(1)
	request.ProviderID = dora.ID
	return append(made, d.book(anna, request))
}

// lists are arguments with what they ask for.
var lists = map[string]struct {
	by      booking.Actor
	request bookingsvc.ListRequest
	wanted  func(booking.Booking) bool
}{
	"a provider's": {ben, bookingsvc.ListRequest{}, func(b booking.Booking) bool { return b.ProviderID == ben.ID }},
	"a customer's": {anna, bookingsvc.ListRequest{}, func(b booking.Booking) bool { return b.CustomerID == anna.ID }},
	"everybody's":  {booking.Internal, bookingsvc.ListRequest{}, func(booking.Booking) bool { return true }},
	"a provider's, for another service": {
		booking.Internal,
		bookingsvc.ListRequest{ProviderID: dora.ID},
		func(b booking.Booking) bool { return b.ProviderID == dora.ID },
	},
	"a customer's, for another service": {
		booking.Internal,
		bookingsvc.ListRequest{CustomerID: carl.ID},
		func(b booking.Booking) bool { return b.CustomerID == carl.ID },
	},
	"both parties'": {
		booking.Internal,
		bookingsvc.ListRequest{CustomerID: anna.ID, ProviderID: ben.ID},
		func(b booking.Booking) bool { return b.CustomerID == anna.ID && b.ProviderID == ben.ID },
	},
	"a provider's with a customer": {
		ben,
		bookingsvc.ListRequest{CustomerID: carl.ID, ProviderID: ben.ID},
		func(b booking.Booking) bool { return b.CustomerID == carl.ID && b.ProviderID == ben.ID },
	},
	"a customer's at a provider": {
		anna,
		bookingsvc.ListRequest{ProviderID: ben.ID},
		func(b booking.Booking) bool { return b.CustomerID == anna.ID && b.ProviderID == ben.ID },
	},
	"a stranger's": {
		booking.Actor{Role: booking.RoleCustomer, ID: ben.ID},
		bookingsvc.ListRequest{},
		func(booking.Booking) bool { return false },
	},
	"cancelled": {
		booking.Internal,
		bookingsvc.ListRequest{Statuses: []booking.Status{booking.StatusCancelled}},
		func(b booking.Booking) bool { return b.Status == booking.StatusCancelled },
	},
	"active, said twice": {
		dora,
		bookingsvc.ListRequest{Statuses: []booking.Status{booking.StatusPending, booking.StatusConfirmed, booking.StatusPending}},
		func(b booking.Booking) bool { return b.ProviderID == dora.ID && b.Status.Active() },
	},
	"pending, a customer's": {
		anna,
		bookingsvc.ListRequest{Statuses: []booking.Status{booking.StatusPending}},
		func(b booking.Booking) bool { return b.CustomerID == anna.ID && b.Status == booking.StatusPending },
	},
	"from a time on, inclusive": {
		booking.Internal,
		bookingsvc.ListRequest{From: at(3).Slot.Start},
		func(b booking.Booking) bool { return !b.Slot.Start.Before(at(3).Slot.Start) },
	},
	"up to a time, exclusive": {
		booking.Internal,
		bookingsvc.ListRequest{To: at(3).Slot.Start},
		func(b booking.Booking) bool { return b.Slot.Start.Before(at(3).Slot.Start) },
	},
	"of one moment": {
		ben,
		bookingsvc.ListRequest{From: at(3).Slot.Start, To: at(3).Slot.Start.Add(time.Microsecond)},
		func(b booking.Booking) bool { return b.ProviderID == ben.ID && b.Slot.Start.Equal(at(3).Slot.Start) },
	},
	"of no time": {
		booking.Internal,
		bookingsvc.ListRequest{From: at(3).Slot.Start, To: at(3).Slot.Start},
		func(booking.Booking) bool { return false },
	},
	"everything at once": {
		anna,
		bookingsvc.ListRequest{
			ProviderID: ben.ID, Statuses: []booking.Status{booking.StatusCancelled}, From: at(2).Slot.Start, To: at(7).Slot.Start,
		},
		func(b booking.Booking) bool {
			return b.CustomerID == anna.ID && b.ProviderID == ben.ID && b.Status == booking.StatusCancelled && b.Slot.Start.After(at(1).Slot.Start)
		},
	},
}

func TestPagesHoldEachBookingOnceInOrder(t *testing.T) {
	t.Parallel()
	d := open(t)
	made := d.fill()
	for name, list := range lists {
		for _, descending := range []bool{false, true} {
			want := inOrder(made, list.wanted, descending)
			for _, size := range []int{1, 2, 5, 0} {
				request := list.request
				request.Descending, request.PageSize = descending, size
				if got := d.pages(list.by, request, nil); !slices.Equal(ids(got), ids(want)) {
					t.Errorf("%s, descending %t, pages of %d:\n%v\n%v", name, descending, size, ids(got), ids(want))
				}
			}
		}
	}
}

func TestAListShowsBookingsAsTheyAre(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.fill()
	for _, b := range d.pages(booking.Internal, bookingsvc.ListRequest{}, nil) {
		if want := d.stored(b); !reflect.DeepEqual(b, want) {
			t.Errorf("listed %+v\nstored %+v", b, want)
		}
	}
}

// inOrder is what a list should hold.
func inOrder(made []booking.Booking, wanted func(booking.Booking) bool, descending bool) []booking.Booking {
	var in []booking.Booking
	for _, b := range made {
		if wanted(b) {
			in = append(in, b)
		}
	}
	slices.SortFunc(in, func(a, b booking.Booking) int {
		return cmp.Or(a.Slot.Start.Compare(b.Slot.Start), bytes.Compare(a.ID[:], b.ID[:]))
	})
	if descending {
		slices.Reverse(in)
	}
	return in
}

// pages reads a list to its end and calls between before each further page.
func (d *desk) pages(by booking.Actor, request bookingsvc.ListRequest, between func()) []booking.Booking {
	d.t.Helper()
	var all []booking.Booking
	for {
		page, next, err := d.List(d.t.Context(), by, request)
		if err != nil {
			d.t.Fatal(err)
		}
		if request.PageSize > 0 && len(page) > request.PageSize || next != "" && len(page) == 0 {
			d.t.Fatalf("a page of %d, and next %q", len(page), next)
		}
		all = append(all, page...)
		if request.PageToken = next; next == "" {
			return all
		}
		if between != nil {
			between()
		}
	}
}

func ids(bookings []booking.Booking) []uuid.UUID {
	list := make([]uuid.UUID, 0, len(bookings))
	for _, b := range bookings {
		list = append(list, b.ID)
	}
	return list
}

// What is not changed while it is listed is listed once, whatever is made,
// cancelled and moved around it.
func TestPagesHoldEachBookingOnceWhileOthersChange(t *testing.T) {
	t.Parallel()
	for _, descending := range []bool{false, true} {
		d := open(t)
		d.MaxPending = 1000
		const each = 12
		var steady, cancelled, moved []booking.Booking
		for i := range each {
			steady = append(steady, d.book(anna, at(1+2*i)))
			cancelled = append(cancelled, d.book(carl, at(2+2*i)))
			moved = append(moved, d.book(carl, at(40+i)))
		}
		round := 0
		listed := d.pages(ben, bookingsvc.ListRequest{PageSize: 3, Descending: descending}, func() {
			if i := round; i < each {
				d.do(carl, cancelled[i], booking.Cancel(""))
				d.book(carl, at(2+2*i)) // where the cancelled one was: a tie
				d.move(carl, moved[i], to(100+i))
			}
			round++
		})
		checkEachOnce(t, listed, steady)
	}
}

func checkEachOnce(t *testing.T, listed, want []booking.Booking) {
	t.Helper()
	seen := map[uuid.UUID]int{}
	for _, b := range listed {
		seen[b.ID]++
	}
	for _, b := range want {
		if seen[b.ID] != 1 {
			t.Errorf("the booking at %v is listed %d times", b.Slot.Start, seen[b.ID])
		}
	}
}
