package ratelimit

import (
	"fmt"
	"testing"
	"time"

	"bookings/internal/booking"
)

// BenchmarkTake is what the limit costs a call, where all callers are one user
// and where there are so many that their buckets are always replaced.
func BenchmarkTake(b *testing.B) {
	for _, users := range []int{1, 2 * MaxBuckets} {
		keys := make([]Key, users)
		for i := range keys {
			keys[i] = UserKey(booking.Actor{Role: booking.RoleCustomer, ID: fmt.Sprint(i)})
		}
		b.Run(fmt.Sprintf("%d users", users), func(b *testing.B) {
			limiter := New(60, time.Now)
			b.ReportAllocs()
			b.RunParallel(func(each *testing.PB) {
				for i := 0; each.Next(); i++ {
					limiter.Take(b.Context(), keys[i%len(keys)])
				}
			})
		})
	}
}
