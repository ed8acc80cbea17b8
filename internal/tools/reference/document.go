package main

import (
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

// document is the whole of it.
func document(rest, connect node, reasons []reason) node {
	whole := mapping()
	whole.put("openapi", "3.1.0")
	whole.put("info", info(connect))
	whole.put("servers", []any{map[string]string{"url": "/", "description": "This server"}})
	whole.put("security", []any{map[string]any{"bearer": []any{}}, map[string]any{"internal": []any{}}})
	whole.put("tags", tags)
	paths := mapping()
	addPaths(paths, rest, restDoor, reasons)
	addPaths(paths, connect, connectDoor, reasons)
	whole.put("paths", paths)
	components := mapping()
	components.put("securitySchemes", securitySchemes)
	components.put("schemas", schemas(rest, connect, reasons))
	components.put("headers", headers)
	components.put("examples", examples(reasons))
	whole.put("components", components)
	clean(whole)
	return whole
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

// schemas are those of both doors, without the library's of errors: ours say more.
func schemas(rest, connect node, reasons []reason) node {
	all := mapping()
	for _, source := range []node{rest, connect} {
		source.get("components", "schemas").each(func(name string, schema node) {
			used := strings.HasPrefix(name, "bookings.v1.") || strings.HasPrefix(name, "google.protobuf.")
			if !used || strings.HasSuffix(name, "Entry") {
				return
			}
			if !strings.HasSuffix(name, "Request") {
				schema.drop("additionalProperties") // later versions may add fields
			}
			all.put(name, schema)
		})
	}
	for _, added := range errorSchemas(reasons) {
		all.put(added.name, added.schema)
	}
	return all
}
