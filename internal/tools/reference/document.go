package main

import (
	_ "embed" // for the base
	"strings"
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
	addPaths(whole.get("paths"), rest, restDoor, reasons)
	addPaths(whole.get("paths"), connect, connectDoor, reasons)
	components := whole.get("components")
	addSchemas(components.get("schemas"), rest, connect)
	addReasons(components, reasons)
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

func addPaths(paths, source node, door string, reasons []reason) {
	source.get("paths").each(func(path string, item node) {
		item.drop("summary")
		item.drop("description")
		item.each(func(verb string, operation node) {
			describe(operation, door)
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
