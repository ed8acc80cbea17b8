package main

import (
	"net/http"
	"strings"
)

// headers are those of answers that programs read.
var headers = map[string]any{
	"X-Request-Id":        header("string", "The request's id, under which it is in the log: yours, where you sent one of 1 to 64 characters of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`."),
	"RateLimit-Limit":     header("integer", "How many requests a minute there may be."),
	"RateLimit-Remaining": header("integer", "How many are left now."),
	"RateLimit-Reset":     header("integer", "In how many seconds all are there again."),
	"Retry-After":         header("integer", "How many seconds to wait, with RATE_LIMITED."),
	"WWW-Authenticate":    header("string", "Always `Bearer`."),
	"Idempotent-Replayed": header("string", "`true` where the key has made this booking before."),
}

func header(kind, about string) map[string]any {
	return map[string]any{"description": about, "schema": map[string]string{"type": kind}}
}

// headersOf are the headers of a method's answer with a status.
func headersOf(operation node, status string) map[string]any {
	names := []string{"X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
	switch status {
	case "200":
		if operation.text("summary") == "CreateBooking" {
			names = append(names, "Idempotent-Replayed")
		}
	case "401":
		names = append(names, "WWW-Authenticate")
	case "429":
		names = append(names, "Retry-After")
	}
	all := map[string]any{}
	for _, name := range names {
		all[name] = map[string]string{"$ref": "#/components/headers/" + name}
	}
	return all
}

// addHeaders adds those of requests: what a field says, a header may say.
func addHeaders(operation node, door, verb string) {
	var kept []any
	for _, parameter := range operation.get("parameters").Content {
		// connect-go takes a call without the version, as from a bare curl; a
		// time-out is for clients that are made.
		if !strings.HasPrefix(node{parameter}.text("name"), "Connect-") {
			kept = append(kept, parameter)
		}
	}
	if operation.text("summary") == "CreateBooking" {
		kept = append(kept, parameter("Idempotency-Key", "What the field `idempotencyKey` says; given both, they must be equal."))
	}
	changes := strings.Contains(operation.text("description"), "ETAG_MISMATCH")
	if door == restDoor && verb != strings.ToLower(http.MethodGet) && changes {
		kept = append(kept, parameter("If-Match", "What the field `etag` says, such as `W/\"1\"`; given both, they must be equal. `*` is any."))
	}
	operation.drop("parameters")
	if len(kept) > 0 {
		operation.put("parameters", kept)
	}
}

func parameter(name, about string) map[string]any {
	return map[string]any{"name": name, "in": "header", "description": about, "schema": map[string]string{"type": "string"}}
}
