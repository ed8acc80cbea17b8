package bookingsvc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// state is what a list and an event both tell of a booking.
type state struct {
	customer string
	slot     booking.Slot
	status   string
	metadata booking.Metadata
	version  int64
}

// copied is a copy of ben's bookings, merged as the proto says (EventService).
type copied struct {
	*desk
	held map[string]state
}

// take takes a state only where it is later than the one held.
func (c *copied) take(id string, s state) {
	if s.version > c.held[id].version {
		c.held[id] = s
	}
}

// list reads all pages, small ones, so that bookings move from page to page
// meanwhile.
func (c *copied) list() (all []booking.Booking) {
	c.t.Helper()
	request := bookingsvc.ListRequest{PageSize: 3}
	for {
		page, next, err := c.List(c.t.Context(), ben, request)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, page...)
		if request.PageToken = next; next == "" {
			return all
		}
	}
}

func (c *copied) takeAll(bookings []booking.Booking) {
	for _, b := range bookings {
		c.take(b.ID.String(), state{b.CustomerID, b.Slot, "BOOKING_STATUS_" + string(b.Status), b.Metadata, b.Version})
	}
}

// follow takes entries until so many have happened in the feed.
func (c *copied) follow(reader *feed.Subscription, last int64) {
	c.t.Helper()
	for reader.Cursor().Sequence < last {
		entry, err := reader.Next(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		var data booking.EventData
		if err := json.Unmarshal(entry.Data, &data); err != nil {
			c.t.Fatal(err)
		}
		if entry.Type == booking.EventReminderDue {
			continue
		}
		slot := booking.Slot{Start: moment(c.t, data.StartTime), End: moment(c.t, data.EndTime)}
		c.take(entry.BookingID, state{data.CustomerID, slot, data.Status, data.Metadata, data.Version})
	}
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Readers begin at every moment of a day on which everything happens at once, and
// each ends with what the database has: also one who takes the list late.
func TestAListAndAFeedMergedByVersionAreTheDatabase(t *testing.T) {
	t.Parallel()
	d := openOn(t, openPool(t, pgtest.URL(t)))
	const writers, readers, blows = 6, 12, 60
	for i := range 20 {
		d.book(ben, forAnna(2*i))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		race(writers, func(i int) bool {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for range blows {
				d.stir(random)
			}
			return true
		})
	}()
	copies := race(readers, func(i int) *copied {
		pgtest.Eventually(t, "its turn", func() bool { return d.head() >= int64(20+i*10) })
		reader, err := d.Feeds.Subscribe(t.Context(), feed.Key{Role: ben.Role, User: ben.ID}, nil, 0)
		if err != nil {
			t.Error(err)
			return nil
		}
		defer reader.Close()
		c := &copied{desk: d, held: map[string]state{}}
		listed := c.list()
		if i%2 == 0 {
			c.takeAll(listed)
		}
		<-done
		c.follow(reader, d.head())
		c.takeAll(listed)
		return c
	})
	truth := &copied{desk: d, held: map[string]state{}}
	truth.takeAll(truth.list())
	for i, c := range copies {
		if c == nil || !reflect.DeepEqual(c.held, truth.held) {
			t.Errorf("reader %d has another copy than the database", i)
		}
	}
}

// head is the number of the newest entry of ben's feed.
func (d *desk) head() int64 {
	return value[int64](d, "SELECT head FROM feeds WHERE role = 'provider' AND user_id = 'ben'")
}

// stir changes one of ben's bookings, or makes one: whatever is refused, is.
func (d *desk) stir(random *rand.Rand) {
	ctx := context.WithoutCancel(d.t.Context())
	hours := 100 + random.IntN(200)
	ids := value[[]string](d, "SELECT array_agg(id::text) FROM bookings")
	there := bookingsvc.Target{ID: uuid.MustParse(ids[random.IntN(len(ids))])}
	var err error
	switch random.IntN(5) {
	case 0:
		_, err = d.Create(ctx, carl, at(hours))
	case 1:
		_, err = d.Reschedule(ctx, ben, there, to(hours))
	case 2:
		_, err = d.Change(ctx, ben, there, booking.Cancel(""))
	case 3:
		_, err = d.Change(ctx, ben, there, booking.Confirm())
	default:
		facts := booking.Metadata{"n": fmt.Sprint(random.IntN(5))}
		_, err = d.Change(ctx, ben, there, booking.Update(booking.Patch{Metadata: &facts}))
	}
	reasonOf(d.t, err)
}
