package main

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// anywhere are the reasons that every method can fail with; the others are those that
// its comment names.
var anywhere = []string{
	string(booking.ReasonTokenMissing), string(booking.ReasonTokenInvalid), string(booking.ReasonTokenExpired),
	string(booking.ReasonValidationFailed), string(booking.ReasonRateLimited), string(booking.ReasonDatabaseUnavailable),
	string(apierror.ReasonDeadlineExceeded), string(apierror.ReasonTooLarge), string(apierror.ReasonUnimplemented), string(apierror.ReasonInternal),
}

var capitals = regexp.MustCompile(`[A-Z]+(_[A-Z]+)*`)

// addAnswers puts the errors of a method beside its answer, by their HTTP status.
func addAnswers(operation node, door string, reasons []reason) {
	success := operation.get("responses", "200")
	keepMedia(success.get("content"))
	success.put("description", "Done.")
	answers := mapping()
	answers.put("200", success)
	stream := success.get("content").has(streamMedia)
	named := capitals.FindAllString(operation.text("description"), -1)
	byStatus := map[int][]reason{}
	for _, r := range reasons {
		unread := r.name == string(apierror.ReasonTooLarge) && door == restDoor && !operation.has("requestBody")
		if !unread && (slices.Contains(anywhere, r.name) || slices.Contains(named, r.name)) {
			status := statusOf(r, door)
			byStatus[status] = append(byStatus[status], r)
		}
	}
	if stream {
		success.put("description", "Messages, each in an envelope of Connect's. An error comes in the last of them, under this status too:\n\n"+
			list(slices.Concat(slices.Collect(maps.Values(byStatus))...)))
		byStatus = map[int][]reason{}
	}
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		answers.put(strconv.Itoa(status), refusal(door, byStatus[status]))
	}
	operation.drop("responses")
	operation.put("responses", answers) // last, for readers
	answers.each(func(status string, answer node) {
		answer.put("headers", headersOf(operation, status))
	})
}

func statusOf(r reason, door string) int {
	switch {
	case r.name == string(apierror.ReasonUnimplemented):
		return http.StatusUnsupportedMediaType // a path that is not there is no method's
	case r.name == string(apierror.ReasonTooLarge) && door == restDoor:
		return http.StatusRequestEntityTooLarge
	}
	return r.HTTP
}

func refusal(door string, reasons []reason) node {
	shown := mapping()
	for _, r := range reasons {
		shown.put(r.name, reference("examples", door+"."+r.name))
	}
	content := mapping()
	content.put("schema", reference("schemas", errorSchema(door)))
	content.put("examples", shown)
	answer := mapping()
	answer.put("description", list(reasons))
	answer.put("content", map[string]any{media: content.Node})
	return answer
}

// list says what to do about each reason.
func list(reasons []reason) string {
	var lines []string
	for _, r := range reasons {
		lines = append(lines, "* `"+r.name+"`: "+r.advice)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func errorSchema(door string) string {
	if door == restDoor {
		return "google.rpc.Status"
	}
	return "connect.Error"
}

// reference stands for something among the components.
func reference(kind, name string) map[string]string {
	return map[string]string{"$ref": "#/components/" + kind + "/" + name}
}
