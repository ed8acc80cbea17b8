package rpcapi

import (
	"fmt"
	"strings"
	"testing"

	bookingsv1 "bookings/gen/bookings/v1"
)

// spellings are times, and what is said of them; nothing where they are right.
var spellings = map[string]string{
	"2027-06-01T09:00:00Z":            "",
	"2027-06-01T09:00:00.5Z":          "",
	"2027-06-01T09:00:00.123456789Z":  "",
	"2027-06-01T09:00:00.000Z":        "",
	"2027-06-01T09:00:00+00:00":       "",
	"2027-06-01T09:00:00+23:59":       "",
	"2027-06-01T09:00:00-12:00":       "",
	"2028-02-29T09:00:00Z":            "",
	"2027-06-01T09:00:00":             "lacks an offset",
	"2027-06-01T09:00:00.5":           "lacks an offset",
	"2027-06-01T09:00:00+24:00":       "past 23:59",
	"2027-06-01T09:00:00-24:00":       "past 23:59",
	"2027-06-01T09:00:00+23:60":       "past 23:59",
	"2027-06-01T09:00:00+99:99":       "past 23:59",
	"2027-06-01T09:00:00 02:00":       "%2B",
	"2027-06-01T09:00:00+0200":        "neither Z",
	"2027-06-01T09:00:00+2":           "neither Z",
	"2027-06-01T09:00:00z":            "neither Z",
	"2027-06-01T09:00:00,5Z":          "neither Z",
	"2027-06-01T09:00:00 Europe/Rome": "a space",
	"2027-02-29T09:00:00Z":            "a day that does not exist",
	"2027-13-01T09:00:00Z":            "a day that does not exist",
	"2027-06-01T24:00:00Z":            "an hour past 23",
	"2027-06-01T09:60:00Z":            "past 59",
	"2027-06-01T09:00:60Z":            "past 59",
	"2027-06-01T09:00:00.1234567891Z": "9 digits",
	"0000-06-01T09:00:00Z":            "between the years",
	"0001-01-01T00:00:00+01:00":       "between the years",
	"2027-06-01T9:00:00Z":             "such as",
	"2027-06-01 09:00:00Z":            "such as",
	"2027-06-01":                      "such as",
	"tomorrow":                        "such as",
	"":                                "such as",
}

func TestWhatIsWrongWithATimeIsSaid(t *testing.T) {
	t.Parallel()
	for text, want := range spellings {
		for _, name := range []string{"startTime", "start_time"} {
			err := decodeJSON(fmt.Appendf(nil, `{"note":"a","%s" : %q}`, name, text), &bookingsv1.CreateBookingRequest{})
			if want == "" {
				if err != nil {
					t.Errorf("%s: %v", text, err)
				}
				continue
			}
			checkFault(t, err)
			if !strings.Contains(err.Error(), ": start_time: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: told %q, not %q", text, err, want)
			}
		}
	}
}
