package main

import (
	"net/http"
	"strings"
)

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
		all[name] = reference("headers", name)
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
		kept = append(kept, reference("parameters", "Idempotency-Key"))
	}
	changes := strings.Contains(operation.text("description"), "ETAG_MISMATCH")
	if door == restDoor && verb != strings.ToLower(http.MethodGet) && changes {
		kept = append(kept, reference("parameters", "If-Match"))
	}
	operation.drop("parameters")
	if len(kept) > 0 {
		operation.put("parameters", kept)
	}
}
