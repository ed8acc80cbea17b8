package bookingsvc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"bookings/gen/sqlc"
	"bookings/internal/booking"
	"bookings/internal/bookingdb"
	"bookings/internal/pgerror"
)

// Page sizes of lists.
const (
	DefaultPageSize = 50
	MaxPageSize     = 200
)

// The first and the last moment that a timestamp can spell: the bounds of a
// list that names none.
var (
	firstMoment = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	lastMoment  = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// ListRequest asks for a page of bookings. Zero values do not filter.
type ListRequest struct {
	ProviderID string
	CustomerID string
	Statuses   []booking.Status
	// From is inclusive, To exclusive; both are about the start.
	From time.Time
	To   time.Time
	// Descending turns the order by start time round.
	Descending bool
	PageSize   int
	PageToken  string
}

// List reads a page of bookings and the token of the next, empty on the last.
// It fails with NOT_ALLOWED or PAGE_TOKEN_INVALID.
func (s *Service) List(ctx context.Context, by booking.Actor, r ListRequest) ([]booking.Booking, string, error) {
	provider, customer, err := by.Parties(r.ProviderID, r.CustomerID)
	if err != nil {
		return nil, "", err
	}
	r.ProviderID, r.CustomerID = provider, customer
	page, err := r.start(by)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(r.PageSize)
	rows, err := r.read(ctx, s.Pool, page, int32(size)+1)
	if err != nil {
		return nil, "", pgerror.Explain(fmt.Errorf("list bookings: %w", err))
	}
	next := ""
	if len(rows) > size {
		rows = rows[:size]
		last := rows[size-1]
		next = position{Start: last.StartTime, ID: last.ID}.token(r.fingerprint(by))
	}
	bookings := make([]booking.Booking, 0, len(rows))
	for _, row := range rows {
		bookings = append(bookings, bookingdb.FromRow(row))
	}
	return bookings, next, nil
}

// pageSize cuts what is asked for to the maximum, as AIP-158 has it: too much is
// no fault of the caller's, who goes on with the token.
func pageSize(asked int) int {
	if asked == 0 {
		return DefaultPageSize
	}
	return min(asked, MaxPageSize)
}

// start is where the page begins: after the token's booking, or before all. A
// first page is one after a booking that cannot be, so that one query does both.
func (r ListRequest) start(by booking.Actor) (position, error) {
	switch {
	case r.PageToken != "":
		return parseToken[position](r.PageToken, r.fingerprint(by))
	case r.Descending:
		return position{Start: lastMoment, ID: uuid.Max}, nil
	default:
		return position{Start: firstMoment}, nil
	}
}

// fingerprint stands for the caller and all arguments but the page's size, which
// may change from page to page. In another list a token's place would have
// another meaning, and bookings would be left out without a word.
func (r ListRequest) fingerprint(by booking.Actor) string {
	statuses := slices.Clone(r.Statuses)
	slices.Sort(statuses)
	return fingerprint("bookings", string(by.Role), by.ID, r.ProviderID, r.CustomerID,
		fmt.Sprint(slices.Compact(statuses)), r.From.UTC().String(), r.To.UTC().String(), fmt.Sprint(r.Descending))
}

// read picks the query whose index leads with what is known: PostgreSQL then
// reads a page in its order and stops, however many bookings there are. Where
// both are named, the provider leads. limit is one more than a page, which shows
// whether there is another.
func (r ListRequest) read(ctx context.Context, db sqlc.DBTX, after position, limit int32) ([]sqlc.Booking, error) {
	filter := sqlc.BookingListAllParams{
		Statuses: statusNames(r.Statuses), StartTimeFrom: r.From, StartTimeTo: r.To,
		AfterStart: after.Start, AfterID: after.ID, PageSize: limit,
	}
	if filter.StartTimeTo.IsZero() {
		filter.StartTimeTo = lastMoment
	}
	switch {
	case r.ProviderID != "":
		return r.readByProvider(ctx, db, filter)
	case r.CustomerID != "":
		return r.readByCustomer(ctx, db, filter)
	case r.Descending:
		return queries.BookingListAllDesc(ctx, db, sqlc.BookingListAllDescParams(filter))
	default:
		return queries.BookingListAll(ctx, db, filter)
	}
}

// readByProvider may be for one customer, too, who is a filter then.
func (r ListRequest) readByProvider(ctx context.Context, db sqlc.DBTX, f sqlc.BookingListAllParams) ([]sqlc.Booking, error) {
	params := sqlc.BookingListByProviderParams{
		ProviderID: r.ProviderID, Statuses: f.Statuses, StartTimeFrom: f.StartTimeFrom, StartTimeTo: f.StartTimeTo,
		AfterStart: f.AfterStart, AfterID: f.AfterID, PageSize: f.PageSize,
	}
	if r.CustomerID != "" {
		params.CustomerID = &r.CustomerID
	}
	if r.Descending {
		return queries.BookingListByProviderDesc(ctx, db, sqlc.BookingListByProviderDescParams(params))
	}
	return queries.BookingListByProvider(ctx, db, params)
}

func (r ListRequest) readByCustomer(ctx context.Context, db sqlc.DBTX, f sqlc.BookingListAllParams) ([]sqlc.Booking, error) {
	params := sqlc.BookingListByCustomerParams{
		CustomerID: r.CustomerID, Statuses: f.Statuses, StartTimeFrom: f.StartTimeFrom, StartTimeTo: f.StartTimeTo,
		AfterStart: f.AfterStart, AfterID: f.AfterID, PageSize: f.PageSize,
	}
	if r.Descending {
		return queries.BookingListByCustomerDesc(ctx, db, sqlc.BookingListByCustomerDescParams(params))
	}
	return queries.BookingListByCustomer(ctx, db, params)
}

func statusNames(statuses []booking.Status) []string {
	names := make([]string, 0, len(statuses))
	for _, status := range statuses {
		names = append(names, string(status))
	}
	return names
}
