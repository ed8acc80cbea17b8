package main

import (
	"regexp"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	bookingsv1 "bookings/gen/bookings/v1"
)

// clean mends what the plugin makes of comments and rules.
func clean(whole node) {
	moment := whole.get("components", "schemas", "google.protobuf.Timestamp").text("description")
	patterns := patterns()
	whole.walk(func(n node) {
		if n.text("format") == "date-time" {
			n.put("description", moment) // the proto's own is about clocks
			n.drop("examples")
		}
		n.Style = 0                                                               // the base's short mappings are written as all others
		if name := n.text("title"); name != "" && name == strings.ToLower(name) { // the proto's name of a field
			n.drop("title")
			switch pattern := patterns[name]; {
			case pattern == "":
			case n.text("type") == "string":
				n.put("pattern", pattern)
			case n.text("type") == "object":
				n.put("propertyNames", map[string]string{"pattern": pattern})
			}
		}
		if n.get("description").Value != "" {
			n.put("description", prose(n.text("description")))
		}
	})
}

// A rule as the plugin puts it below a comment: the comment says the same.
var rule = regexp.MustCompile(`(?m)^(\w+ // .*|string\.not_contains = .*)\n?`)

// prose is a comment of a proto without the space in front of each line.
func prose(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(rule.ReplaceAllString(text, ""), "\n ", "\n"))
}

var matches = regexp.MustCompile(`^this\.matches\('(.*)'\)$`)

// patterns are the rules of the protos that are a pattern, by the name of the field
// (of a map: that of its keys): a name has the same rule in all requests.
func patterns() map[string]string {
	found := map[string]string{}
	for _, file := range []protoreflect.FileDescriptor{bookingsv1.File_bookings_v1_booking_service_proto, bookingsv1.File_bookings_v1_event_service_proto} {
		for i := range file.Messages().Len() {
			fields := file.Messages().Get(i).Fields()
			for j := range fields.Len() {
				addPattern(found, fields.Get(j))
			}
		}
	}
	return found
}

func addPattern(found map[string]string, field protoreflect.FieldDescriptor) {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	for _, cel := range append(rules.GetCel(), rules.GetMap().GetKeys().GetCel()...) {
		if match := matches.FindStringSubmatch(cel.GetExpression()); match != nil {
			pattern := strings.ReplaceAll(match[1], `\\`, `\`)
			if rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE {
				pattern = "^$|" + pattern
			}
			found[string(field.Name())] = pattern
		}
	}
}
