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
		shown.put(r.name, map[string]string{"$ref": "#/components/examples/" + door + "." + r.name})
	}
	content := mapping()
	content.put("schema", map[string]string{"$ref": "#/components/schemas/" + errorSchema(door)})
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

type namedSchema struct {
	name   string
	schema any
}

// errorSchemas are how the doors spell an error.
func errorSchemas(reasons []reason) []namedSchema {
	names, codes := []string{}, []string{}
	for _, r := range reasons {
		names = append(names, r.name)
		if code := r.Code.String(); !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	slices.Sort(names)
	text := func(about string) map[string]any { return map[string]any{"type": "string", "description": about} }
	detail := func(kind string, properties map[string]any) map[string]any {
		properties["@type"] = map[string]any{"const": "type.googleapis.com/google.rpc." + kind}
		return map[string]any{"type": "object", "required": []string{"@type"}, "properties": properties}
	}
	return []namedSchema{
		{"google.rpc.Status", map[string]any{
			"type": "object", "required": []string{"code", "message"},
			"properties": map[string]any{
				"code":    map[string]any{"type": "integer", "description": "The number of the code (google.rpc.Code)."},
				"message": text("A sentence for people. Decide by the reason: sentences change."),
				"details": map[string]any{"type": "array", "items": map[string]any{"oneOf": []any{
					map[string]string{"$ref": "#/components/schemas/google.rpc.ErrorInfo"},
					map[string]string{"$ref": "#/components/schemas/google.rpc.BadRequest"},
					map[string]string{"$ref": "#/components/schemas/google.rpc.RetryInfo"},
				}}},
			},
		}},
		{"google.rpc.ErrorInfo", detail("ErrorInfo", map[string]any{
			"reason":   map[string]any{"type": "string", "enum": names, "description": "What programs decide by."},
			"domain":   map[string]any{"const": "bookings"},
			"metadata": map[string]any{"type": "object", "additionalProperties": text(""), "description": "Facts, such as a feed's `head`."},
		})},
		{"google.rpc.BadRequest", detail("BadRequest", map[string]any{
			"fieldViolations": map[string]any{"type": "array", "items": map[string]any{
				"type": "object", "required": []string{"field", "description"},
				"properties": map[string]any{"field": text("The field at fault, by its name in the proto."), "description": text("What is wrong with it.")},
			}},
		})},
		{"google.rpc.RetryInfo", detail("RetryInfo", map[string]any{"retryDelay": text("How long to wait, such as `1s`.")})},
		{"connect.Error", map[string]any{
			"type": "object", "required": []string{"code"},
			"properties": map[string]any{
				"code":    map[string]any{"type": "string", "enum": codes},
				"message": text("A sentence for people. Decide by the reason: sentences change."),
				"details": map[string]any{"type": "array", "items": map[string]any{
					"type": "object", "required": []string{"type", "value"},
					"properties": map[string]any{
						"type":  map[string]any{"enum": []string{"google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo"}},
						"value": text("The message in protobuf's binary form, in base64 without padding."),
						"debug": map[string]any{"type": "object", "description": "The same in JSON, for people."},
					},
				}},
			},
		}},
	}
}
