package wsapi

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

// parseAfter reads where a socket resumes, ?after= and &after_id=; nil where the
// query does not say.
func parseAfter(r *http.Request) (*feed.Point, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, booking.Errorf(booking.ReasonValidationFailed, "the query cannot be read")
	}
	for name := range query {
		if name != "after" && name != "after_id" {
			return nil, booking.Invalid(name, "is not a parameter of /ws")
		}
	}
	if !query.Has("after") {
		if query.Has("after_id") {
			return nil, booking.Invalid("after_id", "needs after, the number of that entry")
		}
		return nil, nil
	}
	var after feed.Point
	if after.Sequence, err = parseSequence(query["after"]); err != nil {
		return nil, err
	}
	after.ID, err = parseID(query["after_id"])
	return &after, err
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)

// parseSequence reads a number, with or without leading zeros.
func parseSequence(values []string) (int64, error) {
	sequence, err := strconv.ParseInt(values[0], 10, 64)
	if len(values) > 1 || err != nil || !digits.MatchString(values[0]) {
		return 0, booking.Invalid("after", "must be one sequence number: 1 to 19 digits")
	}
	return sequence, nil
}

// parseID reads an entry's id. An empty one is none: an entry that is not there
// yet has none, and neither has the head of an empty feed.
func parseID(values []string) (string, error) {
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", nil
	}
	id, err := uuid.Parse(values[0])
	if len(values) > 1 || err != nil || len(values[0]) != len(id.String()) {
		return "", booking.Invalid("after_id", "must be the id of the entry with the number after, a UUID")
	}
	return id.String(), nil
}
