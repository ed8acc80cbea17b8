package identity

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// pace is how often keys are fetched.
type pace struct {
	// refresh is the time between fetches: how long a key is good at most after
	// the identity provider took it back.
	refresh time.Duration
	// retry is the time after one that failed.
	retry time.Duration
	// asked is the time between fetches that callers cause, by tokens that name a
	// key which is not known: anybody can make those up.
	asked time.Duration
	// fetch is how long a fetch may take, and a caller waits for one.
	fetch time.Duration
}

// JWKS are the keys that an identity provider publishes at a URL (RFC 7517). They
// are kept, and fetched anew by Run: from time to time, and when a token names one
// that is not known yet. While the provider is away, those that are known go on.
//
// A token must name its key (kid): it would be luck if a provider's only key were
// the right one, and ends with its first rotation.
type JWKS struct {
	url    string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time
	pace   pace
	// wanted wakes Run before its time.
	wanted chan struct{}

	// replaced is how often keys has been set.
	replaced atomic.Int64

	mu   sync.Mutex
	keys map[string]key
	// fetching is set from when a fetch is asked for, or begins, to its end.
	fetching bool
	// fetched is closed when the fetch that runs, or else the next one, ends.
	fetched chan struct{}
	asked   time.Time
	fault   error
	unused  string
}

// NewJWKS makes one for a URL that CheckJWKSURL takes. It fetches nothing before
// Run does.
func NewJWKS(url string, now func() time.Time, log *slog.Logger) *JWKS {
	return &JWKS{
		url: url, client: newKeyClient(), log: log, now: now,
		pace:   pace{refresh: 5 * time.Minute, retry: 10 * time.Second, asked: time.Minute, fetch: 5 * time.Second},
		wanted: make(chan struct{}, 1),
		// The first fetch is about to begin.
		fetching: true, fetched: make(chan struct{}),
	}
}

// State tells whether any key is known, and whether the last fetch went well.
func (j *JWKS) State() (known, fresh bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.keys) > 0, len(j.keys) > 0 && j.fault == nil
}

// Run fetches the keys, again and again, until the context ends.
func (j *JWKS) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := j.pace.refresh
		if err := j.refresh(ctx); err != nil {
			wait = j.pace.retry
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		case <-j.wanted:
		}
	}
}

func (j *JWKS) refresh(ctx context.Context) error {
	j.begin()
	found, err := j.fetch(ctx)
	j.end(found, err)
	return err
}

func (j *JWKS) begin() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fetching = true
	select {
	case <-j.wanted: // this one is it
	default:
	}
}

// end keeps what was found, wakes who waits, and logs what has changed.
func (j *JWKS) end(found keySet, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fetching = false
	close(j.fetched)
	j.fetched = make(chan struct{})
	switch {
	case err != nil && j.fault == nil:
		j.log.Warn("cannot fetch the keys of tokens: trying again", "error", err, "known", len(j.keys))
	case err == nil && (j.fault != nil || j.keys == nil):
		j.log.Info("fetched the keys of tokens", "known", len(found.keys))
	}
	if j.fault = err; err != nil {
		return
	}
	j.replaced.Add(1)
	if j.keys = found.keys; found.unused != "" && found.unused != j.unused {
		j.log.Warn("some keys of the identity provider are not used", "keys", found.unused)
	}
	j.unused = found.unused
}

func (j *JWKS) generation() int64 { return j.replaced.Load() }

func (j *JWKS) algorithms() []string {
	return []string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg()}
}

// find is the key that the token names. For one that is not known it waits for a
// fetch, where one may be made.
func (j *JWKS) find(ctx context.Context, header map[string]any) (key, bool) {
	kid, _ := header["kid"].(string)
	if kid == "" {
		return key{}, false
	}
	found, fetched := j.look(kid)
	if fetched == nil {
		return found, found.material != nil
	}
	ctx, cancel := context.WithTimeout(ctx, j.pace.fetch)
	defer cancel()
	select {
	case <-fetched:
	case <-ctx.Done():
	}
	found = j.known(kid)
	return found, found.material != nil
}

// look is the key of this name, or else a fetch to wait for, where there is one:
// callers cause one in a time, however many they are.
func (j *JWKS) look(kid string) (found key, fetched <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if found, ok := j.keys[kid]; ok {
		return found, nil
	}
	if j.fetching {
		return key{}, j.fetched
	}
	now := j.now()
	if now.Sub(j.asked) < j.pace.asked {
		return key{}, nil
	}
	j.asked, j.fetching = now, true
	j.wanted <- struct{}{} // has room: begin took the last one
	return key{}, j.fetched
}

func (j *JWKS) known(kid string) key {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.keys[kid]
}
