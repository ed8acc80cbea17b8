// Package feed keeps each user's feed of events and delivers it.
//
// PostgreSQL knows every feed, numbered without gaps; that is the truth. A Hub
// makes it fast: entries are broadcast after their commit, through Redis where
// there are several instances, and each Subscription delivers number n+1 only.
// What a lost or late broadcast leaves out is read from PostgreSQL, so that a
// broadcast is never needed for correctness, only for speed.
//
// A live reader that the newest entries have overrun reads from PostgreSQL, too,
// and is ended as too slow where it does not catch up within a few seconds of
// its own time. One that replays or heals never is, however long that takes.
// Nobody waits for a reader, and none holds more than a page of entries.
package feed
