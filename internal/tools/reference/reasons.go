package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// reason is a reason of an error: its line in the table of errors, what docs/errors.md
// says to do about it, and an answer with it.
type reason struct {
	apierror.Row
	name   string
	advice string
	told   *booking.Error
}

var line = regexp.MustCompile(`(?m)^\| \d+ \| ([A-Z_, ]+) \| (.*) \|$`)

// readReasons fails where a reason has no advice or no example.
func readReasons(page string) ([]reason, error) {
	advice := map[string]string{
		// The page has a sentence for these two, not a line.
		string(apierror.ReasonUnimplemented): "send JSON as `application/json`, not compressed or by gzip",
		string(apierror.ReasonTooLarge):      "send less: a body has 64 KiB at most",
	}
	for _, match := range line.FindAllStringSubmatch(page, -1) {
		for name := range strings.SplitSeq(match[1], ", ") {
			advice[name] = match[2]
		}
	}
	var all []reason
	for name, row := range apierror.Table() {
		if name == apierror.ReasonNotFound {
			continue // health's alone
		}
		told, ok := told[name]
		if !ok || advice[string(name)] == "" {
			return nil, fmt.Errorf("%s: wants an example here and a line in %s", name, errorsPage)
		}
		told.Reason = name
		all = append(all, reason{Row: row, name: string(name), advice: advice[string(name)], told: &told})
	}
	slices.SortFunc(all, func(a, b reason) int { return cmp.Or(cmp.Compare(a.HTTP, b.HTTP), cmp.Compare(a.name, b.name)) })
	return all, nil
}

// told are the examples: what the server says, in one case of each.
var told = map[booking.Reason]booking.Error{
	booking.ReasonValidationFailed: {
		Message: "note: must be at most 1000 characters",
		Fields:  []booking.FieldViolation{{Field: "note", Description: "must be at most 1000 characters"}},
	},
	booking.ReasonStartInPast: {
		Message: "start_time: must lie in the future",
		Fields:  []booking.FieldViolation{{Field: "start_time", Description: "must lie in the future"}},
	},
	booking.ReasonPageTokenInvalid:     {Message: "the page token does not belong to this list"},
	booking.ReasonSequenceOutOfRange:   {Message: "the feed does not hold what follows", Metadata: map[string]string{"head": "41"}},
	booking.ReasonTokenMissing:         {Message: "a token is missing"},
	booking.ReasonTokenInvalid:         {Message: "the token is not valid"},
	booking.ReasonTokenExpired:         {Message: "the token has expired"},
	booking.ReasonNotAllowed:           {Message: "customers may not do this"},
	booking.ReasonBookingNotFound:      {Message: "there is no such booking"},
	booking.ReasonSlotTaken:            {Message: "the provider is booked at that time already"},
	booking.ReasonIdempotencyKeyReused: {Message: "the idempotency key stands for another call"},
	booking.ReasonEtagMismatch:         {Message: "the booking has changed since"},
	booking.ReasonInvalidTransition:    {Message: "a CANCELLED booking cannot be confirmed"},
	booking.ReasonTooManyPending:       {Message: "at most 10 PENDING bookings at one provider"},
	booking.ReasonTooManyMoves:         {Message: "a booking is moved at most 100 times"},
	booking.ReasonRateLimited:          {Message: "at most 60 requests a minute", RetryAfter: time.Second},
	booking.ReasonDatabaseUnavailable:  {Message: "the database is unavailable"},
	booking.ReasonShuttingDown:         {Message: "the server is shutting down"},
	apierror.ReasonDeadlineExceeded:    {Message: "the call took too long"},
	apierror.ReasonCanceled:            {Message: "the caller has gone away"},
	apierror.ReasonUnimplemented:       {Message: "the media type is not understood"},
	apierror.ReasonTooLarge:            {Message: "the body is larger than 64 KiB"},
	apierror.ReasonInternal:            {Message: "internal error, request 01a2b3c4"},
}

// example is the answer with this reason as a door gives it, made by the code that
// makes the answers.
func (r reason) example(door string) any {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", http.NoBody)
	request.Header.Set("Content-Type", media)
	responder := apierror.Responder{Log: slog.New(slog.DiscardHandler)}
	if door == restDoor {
		responder.WriteStatus(recorder, request, r.told)
	} else if err := connect.NewErrorWriter().Write(recorder, request, responder.ToConnect(request.Context(), r.told)); err != nil {
		panic(err) // a recorder takes everything
	}
	var body any
	if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
		panic(err) // it is JSON that was just made
	}
	return body
}

// addReasons adds an example of each reason at each door where the answers show it, and
// to the schemas what the reasons and their codes are.
func addReasons(whole node, reasons []reason) {
	components, shown := whole.get("components"), map[string]bool{}
	whole.walk(func(n node) { shown[n.text("$ref")] = true })
	names, codes := []string{}, []string{}
	for _, r := range reasons {
		names, codes = append(names, r.name), append(codes, r.Code.String())
	}
	slices.Sort(names)
	slices.Sort(codes)
	components.get("schemas", "google.rpc.ErrorInfo", "properties", "reason").put("enum", names)
	components.get("schemas", "connect.Error", "properties", "code").put("enum", slices.Compact(codes))
	for _, door := range []string{restDoor, connectDoor} {
		for _, r := range reasons {
			if name := door + "." + r.name; shown[reference("examples", name)["$ref"]] {
				components.get("examples").put(name, map[string]any{"summary": r.name, "value": r.example(door)})
			}
		}
	}
}
