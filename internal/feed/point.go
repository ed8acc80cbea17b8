package feed

// Point is how far a reader is in a feed: its last entry's number and id. The
// id is empty where the number is 0, and where the reader gives the number alone.
type Point struct {
	Sequence int64
	ID       string
}

// leadsTo tells whether an entry is the next one after the point: the one that
// has the next number and names the point's entry as the one before it. The
// first of a feed names none, so a broadcast of it shows nothing: it could be of
// another database, whose feeds were begun by the same users. Where PostgreSQL
// has said it, that is enough.
func (p Point) leadsTo(entry Entry) bool {
	return entry.Sequence == p.Sequence+1 && entry.PreviousID == p.ID && (p.ID != "" || entry.stored)
}
