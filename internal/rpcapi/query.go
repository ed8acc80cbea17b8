package rpcapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// queryObject is a query as a JSON object, to be decoded as a body is. It fails
// with VALIDATION_FAILED, also for what would pass in silence otherwise: an
// unknown parameter, a single value given twice, one that the path has already,
// any where the body is the request.
func (m *restMethod) queryObject(query url.Values) ([]byte, error) {
	object := map[string]any{}
	var faults []booking.FieldViolation
	for _, name := range slices.Sorted(maps.Keys(query)) {
		field := fieldNamed(m.request.Descriptor(), name)
		if description := m.parameterFault(field, query); description != "" {
			faults = append(faults, booking.FieldViolation{Field: name, Description: description})
			continue
		}
		value, ok := jsonValue(field, valuesOf(field, query))
		if !ok {
			faults = append(faults, booking.FieldViolation{Field: string(field.Name()), Description: wrongValue})
		}
		object[field.JSONName()] = value
	}
	if len(faults) > 0 {
		return nil, apierror.Invalid(faults)
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode a query: %w", err)
	}
	return encoded, nil
}

func (m *restMethod) parameterFault(field protoreflect.FieldDescriptor, query url.Values) string {
	switch {
	case field == nil:
		return "is not a parameter of this method"
	case slices.Contains(m.variables, field):
		return "is in the path already"
	case m.hasBody:
		return "belongs in the body"
	case !field.IsList() && len(valuesOf(field, query)) > 1:
		return "is given twice"
	default:
		return ""
	}
}

// valuesOf are the values of a field, under either of its names: JSON's form of
// protobuf takes both, and a value under each is one too many.
func valuesOf(field protoreflect.FieldDescriptor, query url.Values) []string {
	values := query[field.JSONName()]
	if name := string(field.Name()); name != field.JSONName() {
		values = slices.Concat(values, query[name])
	}
	return values
}

// jsonValue is what a query says of a field, as JSON; false for a text that
// would be read as something else there.
func jsonValue(field protoreflect.FieldDescriptor, texts []string) (value any, ok bool) {
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
		number, err := strconv.ParseInt(text, 10, 64)
		switch field.Kind() {
		case protoreflect.BoolKind:
			if values[i] = text == "true"; text != "true" && text != "false" {
				return nil, false
			}
		case protoreflect.Int32Kind, protoreflect.Int64Kind:
			// They stay text, as 64 bits do not fit a JSON number; but 1e2 is none.
			if err != nil {
				return nil, false
			}
		case protoreflect.EnumKind:
			if err == nil { // a number that is not defined is for the proto's rules
				values[i] = number
			}
		default: // text, or spelled as text in JSON
		}
	}
	if field.IsList() {
		return values, true
	}
	return values[0], true
}
