package feed

import "sync"

// staleFeeds are the feeds whose broadcast may have been cut. They are a set,
// so that there are never more than feeds with readers and none is dropped.
type staleFeeds struct {
	mu   sync.Mutex
	keys map[Key]struct{}
	// added says that there are some.
	added chan struct{}
}

func (f *staleFeeds) add(key Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[key] = struct{}{}
	select {
	case f.added <- struct{}{}:
	default: // it has been said already
	}
}

func (f *staleFeeds) takeAll() map[Key]struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := f.keys
	f.keys = map[Key]struct{}{}
	return keys
}
