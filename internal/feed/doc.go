// Package feed keeps each user's feed of events and delivers it.
//
// PostgreSQL knows every feed, numbered without gaps; that is the truth. A Hub
// makes it fast: entries are broadcast after their commit, through Redis where
// there are several instances, and each Subscription delivers number n+1 only.
// What a lost or late broadcast leaves out is read from PostgreSQL, so that a
// broadcast is never needed for correctness, only for speed.
package feed
