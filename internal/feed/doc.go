// Package feed keeps each user's feed of events and delivers it.
//
// PostgreSQL has every feed, its entries numbered without gaps: that is the
// truth. All else here is for speed. A use case publishes an event's entries
// after their commit; the Hub of each instance keeps the newest entries of the
// feeds that have readers there; Redis carries events between the hubs. A
// Subscription is a cursor on one feed that delivers number n+1 and no other:
// from the hub's memory where that has it, else a page at a time from
// PostgreSQL.
//
// So a broadcast may get lost, come late, twice or out of order, and nobody
// misses an entry: a later one shows the gap, and where there is no later one,
// the head (the number of a feed's newest entry) does, which is read from
// PostgreSQL for every feed with readers once in 14 seconds, and for all of them
// at once after the connection to Redis was lost.
//
// Nobody waits for a reader. One that the newest entries have overrun reads
// pages from PostgreSQL, as one that replays does, and holds one page; at most
// eight readers of an instance do so at a time.
package feed
