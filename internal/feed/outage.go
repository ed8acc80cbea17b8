package feed

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// calm is how long a failure has to stay away to be over: connections of one
// pool fail and work side by side for a while.
const calm = 2 * time.Second

// outage tells the log of a failure that many meet, in two lines: one when it
// begins and one when it is over. It is safe for concurrent use.
type outage struct {
	log *slog.Logger
	// failure and over are what the two lines say.
	failure, over string

	ongoing atomic.Bool
	mu      sync.Mutex
	began   time.Time
	last    time.Time
	count   int
}

func (o *outage) failed(err error, attributes ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = time.Now()
	o.count++
	if o.ongoing.Load() {
		return
	}
	o.began = o.last
	o.ongoing.Store(true)
	o.log.Warn(o.failure, append(attributes, "error", err)...)
}

func (o *outage) worked(attributes ...any) {
	if !o.ongoing.Load() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ongoing.Load() || time.Since(o.last) < calm {
		return
	}
	o.log.Info(o.over, append(attributes, "failures", o.count, "forSeconds", o.last.Sub(o.began).Seconds())...)
	o.ongoing.Store(false)
	o.count = 0
}
