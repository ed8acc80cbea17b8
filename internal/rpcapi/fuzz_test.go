package rpcapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
)

// FuzzIdempotencyKey makes up keys in headers and the field: one is taken where
// all that were given are the same printable word.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range [][3]string{{"a", "a", "a"}, {"", "a", "a"}, {"a", "", "b"}, {"", "a\n", "a\n"}, {"", "ä", "ä"}, {strings.Repeat("a", 256), "", ""}} {
		f.Add(seed[0], seed[1], seed[2], 2)
	}
	rules := compiled(f)
	f.Fuzz(func(t *testing.T, field, first, second string, headers int) {
		request := &bookingsv1.CreateBookingRequest{IdempotencyKey: field, StartTime: &timestamppb.Timestamp{}, EndTime: &timestamppb.Timestamp{}}
		given := []string{first, second}[:min(max(headers, 0), 2)]
		err := mergeHeaders(http.Header{"Idempotency-Key": given}, request)
		if err == nil && request.GetIdempotencyKey() != "" {
			err = rules.validate(request)
		}
		all := append(slices.DeleteFunc([]string{field}, func(s string) bool { return s == "" }), given...)
		key := request.GetIdempotencyKey()
		if good := len(all) == 0 || isWord(all[0]) && len(slices.Compact(all)) == 1; good != (err == nil) || err == nil && len(all) > 0 && key != all[0] {
			t.Fatalf("%q became %q, %v", all, key, err)
		}
		requireInvalid(t, err)
	})
}

// isWord is the rule of the contract, spelled otherwise than in the proto.
func isWord(text string) bool {
	return 1 <= len(text) && len(text) <= 255 && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// FuzzIfMatch makes up etags: one is taken where it is a version as bookings have
// them, and the same in both places.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range [][2]string{{`W/"1"`, `W/"1"`}, {"", `W/"999999999999999999"`}, {"", "*"}, {`W/"2"`, `W/"1"`}, {"", `"1"`}, {"", `W/"01"`}, {"", "W/\"1\"\n"}} {
		f.Add(seed[0], seed[1])
	}
	rules := compiled(f)
	f.Fuzz(func(t *testing.T, field, header string) {
		request := &bookingsv1.GetBookingRequest{}
		_ = mergeIfMatch(http.Header{"If-Match": {header}}, request) // it has no etag: nothing is asked of it
		change := &bookingsv1.ConfirmBookingRequest{Id: "0190c2a4-7000-7000-8000-000000000000", Etag: field}
		err := mergeIfMatch(http.Header{"If-Match": {header}}, change)
		if err == nil {
			err = rules.validate(change)
		}
		good := isEtag(header) && (field == "" || field == header) || header == "*" && (field == "" || isEtag(field))
		if good != (err == nil) {
			t.Fatalf("%q beside %q: %v", header, field, err)
		}
		requireInvalid(t, err)
	})
}

func isEtag(text string) bool {
	digits, weak := strings.CutPrefix(text, `W/"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	return weak && closed && 1 <= len(digits) && len(digits) <= 18 && strings.Trim(digits, "0123456789") == "" && digits[0] != '0'
}

// FuzzUpdateMask makes up masks: an update touches what it names, and nothing that
// cannot be changed is named.
func FuzzUpdateMask(f *testing.F) {
	for _, seed := range []string{"", "note", "note,metadata", "metadata,metadata", "status", "*", "note,", "note.a", "no_te", " note", "ä"} {
		f.Add(seed)
	}
	rules := compiled(f)
	f.Fuzz(func(t *testing.T, mask string) {
		body, _ := json.Marshal(map[string]any{"id": "0190c2a4-7000-7000-8000-000000000000", "updateMask": mask, "note": "a"})
		mask = strings.TrimSpace(mask) // as protojson does
		request := &bookingsv1.UpdateBookingRequest{}
		err := decodeJSON(body, request)
		if err == nil {
			err = rules.validate(request)
		}
		requireInvalid(t, err)
		if err != nil {
			return
		}
		var named []string
		if mask != "" {
			named = strings.Split(mask, ",")
		}
		if slices.ContainsFunc(named, func(path string) bool { return path != "note" && path != "metadata" }) {
			t.Fatalf("the mask %q is taken", mask)
		}
		patch := toPatch(request)
		if (patch.Note != nil) != (mask == "" || slices.Contains(named, "note")) || (patch.Metadata != nil) != slices.Contains(named, "metadata") {
			t.Fatalf("the mask %q changes %+v", mask, patch)
		}
	})
}

// FuzzQuery makes up queries of REST: what is taken is in the request, and nothing
// is passed over or given twice.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"provider_id=a&statuses=BOOKING_STATUS_PENDING&statuses=BOOKING_STATUS_CONFIRMED", "providerId=a&provider_id=a", "pageSize=1e2", "page_size=7",
		"startTimeFrom=2027-06-01T09:00:00%2B02:00", "start_time_from=2027-06-01T09:00:00", "a=b", "statuses=9", "orderBy=", "provider_id=%ff", "pageToken={}",
	} {
		f.Add(seed)
	}
	method := &restMethod{request: (&bookingsv1.ListBookingsRequest{}).ProtoReflect().Type()}
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil || !isText(query) {
			return // refused as a whole
		}
		object, err := method.queryObject(query)
		request := &bookingsv1.ListBookingsRequest{}
		if err == nil {
			err = decodeJSON(object, request)
		}
		requireInvalid(t, err)
		if err != nil {
			return
		}
		for name, values := range query {
			field := fieldNamed(method.request.Descriptor(), name)
			if field == nil || !field.IsList() && len(valuesOf(field, query)) != 1 || field.IsList() && len(request.GetStatuses()) < len(values) {
				t.Fatalf("%q is taken with %q", raw, name)
			}
		}
		if want := query.Get("provider_id") + query.Get("providerId"); request.GetProviderId() != want {
			t.Fatalf("%q is read as %v", raw, request)
		}
	})
}

// FuzzBody makes up bodies of REST: in gzip they are what they are without it, and
// what is no gzip is refused as such.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"note":"a"}`))
	f.Add([]byte{})
	f.Add(zipped(bytes.Repeat([]byte("a"), middleware.MaxBody+1)))
	f.Fuzz(func(t *testing.T, body []byte) {
		plain, err := readBody(post(body, ""))
		if big := len(body) > middleware.MaxBody; big != (err != nil) || !big && len(body) > 0 && !bytes.Equal(plain, body) {
			t.Fatalf("%d bytes are read as %d, %v", len(body), len(plain), err)
		}
		inflated, wrong := readBody(post(zipped(body), "gzip"))
		if !bytes.Equal(plain, inflated) || (err == nil) != (wrong == nil) {
			t.Fatalf("in gzip %d bytes are %d, %v; %v", len(body), len(inflated), err, wrong)
		}
		read, err := readBody(post(body, "gzip"))
		if len(read) > middleware.MaxBody || err != nil && !booking.IsReason(err, booking.ReasonValidationFailed) && !booking.IsReason(err, apierror.ReasonTooLarge) {
			t.Fatalf("%d bytes, %v", len(read), err)
		}
	})
}

func post(body []byte, encoding string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, "/v1/bookings", bytes.NewReader(body))
	request.Header.Set("Content-Encoding", encoding)
	return request
}

func zipped(body []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write(body)
	_ = writer.Close()
	return out.Bytes()
}

// FuzzTime makes up times: one that is taken is one for whoever reads JSON's form
// of protobuf, and the same moment.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2027-06-01T09:00:00Z", "2027-06-01T09:00:00", "2027-02-30T09:00:00Z", "2027-06-01T9:00:00Z", "2027-06-01T09:00:00+24:00", "2027-06-01T09:00:00.1234567890Z", "0000-01-01T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		body, _ := json.Marshal(map[string]any{"startTime": text})
		ours, theirs := &bookingsv1.CreateBookingRequest{}, &bookingsv1.CreateBookingRequest{}
		if err := decodeJSON(body, ours); err != nil {
			requireInvalid(t, err)
			return
		}
		if err := protojson.Unmarshal(body, theirs); err != nil || !ours.GetStartTime().AsTime().Equal(theirs.GetStartTime().AsTime()) || timeFault(text) != "" {
			t.Fatalf("%q is read as %v, and by protojson as %v, %v", text, ours, theirs, err)
		}
	})
}

func compiled(f *testing.F) validator {
	f.Helper()
	rules, err := newValidator()
	if err != nil {
		f.Fatal(err)
	}
	return rules
}

// requireInvalid checks that a refusal says of a field what is wrong with it.
func requireInvalid(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	known, _ := err.(*booking.Error) //nolint:errorlint // as it is made
	if known == nil || known.Reason != booking.ReasonValidationFailed || len(known.Fields) == 0 {
		t.Fatalf("refused with %v", err)
	}
}
