package identity

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxKept is how many tokens are kept: some megabytes.
const maxKept = 10_000

// keptTokens are tokens that were found good, so that their callers' next calls
// need no signature checked. Keeping one changes no verdict: all that it hangs on is
// the token, which is found by its hash, the keys, whose generation is compared, and
// the time, which must lie between when it was verified and its end. What is not so,
// and what was refused, is verified anew. Who has not called for longest makes room.
type keptTokens struct {
	tokens *lru.Cache[[sha256.Size]byte, keptToken]
}

type keptToken struct {
	caller     Caller
	verified   time.Time
	generation int64
}

func newKeptTokens() keptTokens {
	tokens, err := lru.New[[sha256.Size]byte, keptToken](maxKept)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return keptTokens{tokens}
}

func (k keptTokens) find(sum [sha256.Size]byte, generation int64, now time.Time) (Caller, bool) {
	kept, ok := k.tokens.Get(sum)
	good := ok && kept.generation == generation && !now.Before(kept.verified) && now.Before(kept.caller.Expires.Add(leeway))
	return kept.caller, good
}

func (k keptTokens) keep(sum [sha256.Size]byte, kept keptToken) { k.tokens.Add(sum, kept) }
