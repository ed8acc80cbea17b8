package main

import (
	_ "embed" // for the base
	"strings"

	"bookings/internal/booking"
)

// The doors that the document shows, as its tags.
const (
	restDoor    = "REST"
	connectDoor = "Connect"
)

// media is what both doors speak; a stream comes in Connect's frames.
const (
	media       = "application/json"
	streamMedia = "application/connect+json"
)

//go:embed base.yaml
var base []byte

// document is the whole of it: the base, filled in.
func document(rest, connect node, reasons []reason) (node, error) {
	whole, err := parse(base)
	if err != nil {
		return node{}, err
	}
	about := whole.get("info")
	about.put("description", about.text("description")+services(connect))
	requests := whole.get("x-requests")
	whole.drop("x-requests")
	addPaths(whole.get("paths"), rest, restDoor, reasons, requests)
	addPaths(whole.get("paths"), connect, connectDoor, reasons, requests)
	addSchemas(whole.get("components", "schemas"), rest, connect)
	addReasons(whole, reasons)
	clean(whole)
	return whole, nil
}

// services is what the comments of the services say of all their methods.
func services(connect node) string {
	var text strings.Builder
	for _, tag := range connect.get("tags").Content {
		name := node{tag}.text("name")
		text.WriteString("\n# " + name[strings.LastIndexByte(name, '.')+1:] + "\n\n" + prose(node{tag}.text("description")) + "\n")
	}
	return text.String()
}

func addPaths(paths, source node, door string, reasons []reason, requests node) {
	source.get("paths").each(func(path string, item node) {
		item.drop("summary")
		item.drop("description")
		item.each(func(verb string, operation node) {
			describe(operation, door)
			addRequest(operation, door, requests)
			addHeaders(operation, door, verb)
			addAnswers(operation, door, reasons)
		})
		paths.put(path, item)
	})
}

// describe gives an operation its names: a method has the same summary at both doors.
func describe(operation node, door string) {
	full := operation.text("operationId")
	method := full[strings.LastIndexByte(full, '.')+1:]
	description := operation.text("description")
	if summary := operation.text("summary"); summary != method {
		description = strings.TrimSpace(summary + "\n\n" + description)
	}
	operation.put("tags", []string{door})
	operation.put("summary", method)
	operation.put("description", description)
	if door == restDoor {
		operation.put("operationId", method)
	}
	keepMedia(operation.get("requestBody", "content"))
}

// sampleID is a booking's id, as an example.
const sampleID = "0197b5a0-6b1e-7c3d-9a54-2f1c8e7d6b5a"

// addRequest shows a request to begin with, not one of empty fields.
func addRequest(operation node, door string, requests node) {
	body := operation.get("requestBody", "content", media)
	if !body.has("schema") {
		return
	}
	example := mapping()
	if door == connectDoor && strings.Contains(operation.text("description"), string(booking.ReasonBookingNotFound)) {
		example.put("id", sampleID)
	}
	requests.get(operation.text("summary")).each(func(name string, value node) { example.put(name, value) })
	body.put("example", example)
}

// keepMedia leaves out the other media types, which differ in nothing else.
func keepMedia(content node) {
	var others []string
	content.each(func(name string, _ node) {
		if name != media && name != streamMedia {
			others = append(others, name)
		}
	})
	for _, name := range others {
		content.drop(name)
	}
}

// addSchemas adds the messages of both doors.
func addSchemas(all, rest, connect node) {
	for _, source := range []node{rest, connect} {
		source.get("components", "schemas").each(func(name string, schema node) {
			if !strings.HasPrefix(name, "bookings.v1.") || strings.HasSuffix(name, "Entry") {
				return
			}
			if !strings.HasSuffix(name, "Request") {
				schema.drop("additionalProperties") // later versions may add fields
			}
			all.put(name, schema)
		})
	}
}
