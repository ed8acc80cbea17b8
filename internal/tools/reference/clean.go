package main

import (
	"regexp"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	bookingsv1 "bookings/gen/bookings/v1"
)

// clean mends what the plugin makes of comments and rules.
func clean(whole node) {
	moment := whole.get("components", "schemas", "google.protobuf.Timestamp").text("description")
	rules := rules()
	whole.walk(func(n node) {
		if n.text("format") == "date-time" {
			n.put("description", moment) // the proto's own is about clocks
			n.drop("examples")
		}
		n.Style = 0                                                               // the base's short mappings are written as all others
		if name := n.text("title"); name != "" && name == strings.ToLower(name) { // the proto's name of a field
			n.drop("title")
			rules[name].apply(n)
		}
		if n.get("description").Value != "" {
			n.put("description", prose(n.text("description")))
		}
	})
}

// A rule as the plugin puts it below a comment: the comment says the same.
var ruleInProse = regexp.MustCompile(`(?m)^(\w+ // .*|string\.not_contains = .*)\n?`)

// prose is a comment of a proto without the space in front of each line.
func prose(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(ruleInProse.ReplaceAllString(text, ""), "\n ", "\n"))
}

// rule is what the protos ask of a field and the plugin does not tell.
type rule struct {
	// pattern is of a text, or of a map's keys.
	pattern string
	// refused is the one value of an enum that a list must not have.
	refused string
}

func (r rule) apply(schema node) {
	switch kind := schema.text("type"); {
	case kind == "array" && r.refused != "":
		schema.get("items").put("not", map[string]string{"const": r.refused})
	case kind == "string" && r.pattern != "":
		schema.put("pattern", r.pattern)
	case kind == "object" && r.pattern != "":
		schema.put("propertyNames", map[string]string{"pattern": r.pattern})
	}
}

// rules are by the name of the field: a name has the same rule in all requests.
func rules() map[string]rule {
	found := map[string]rule{}
	for _, file := range []protoreflect.FileDescriptor{bookingsv1.File_bookings_v1_booking_service_proto, bookingsv1.File_bookings_v1_event_service_proto} {
		for i := range file.Messages().Len() {
			fields := file.Messages().Get(i).Fields()
			for j := range fields.Len() {
				if asked := ruleOf(fields.Get(j)); asked != (rule{}) {
					found[string(fields.Get(j).Name())] = asked
				}
			}
		}
	}
	return found
}

var matches = regexp.MustCompile(`^this\.matches\('(.*)'\)$`)

func ruleOf(field protoreflect.FieldDescriptor) (found rule) {
	asked, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	if slices.Contains(asked.GetRepeated().GetItems().GetEnum().GetNotIn(), 0) {
		found.refused = string(field.Enum().Values().ByNumber(0).Name())
	}
	for _, cel := range append(asked.GetCel(), asked.GetMap().GetKeys().GetCel()...) {
		if match := matches.FindStringSubmatch(cel.GetExpression()); match != nil {
			found.pattern = strings.ReplaceAll(match[1], `\\`, `\`)
			if asked.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE {
				found.pattern = "^$|" + found.pattern
			}
		}
	}
	return found
}
