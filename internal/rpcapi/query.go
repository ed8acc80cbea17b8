package rpcapi

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/internal/booking"
)

type queryKey struct{}

// restQuery is what a REST request said besides its body, before Vanguard took
// it apart.
type restQuery struct {
	values  url.Values
	hasBody bool
}

func withQuery(r *http.Request) *http.Request {
	query := restQuery{values: r.URL.Query(), hasBody: r.Method != http.MethodGet}
	return r.WithContext(context.WithValue(r.Context(), queryKey{}, query))
}

// queryFaults refuses what Vanguard would let pass: unknown parameters, a
// single value given twice (the last would win), a parameter that names a path
// variable (it would override the path), and any parameter of a method whose
// body is the whole request.
func queryFaults(ctx context.Context, message proto.Message) []booking.FieldViolation {
	query, _ := ctx.Value(queryKey{}).(restQuery)
	var faults []booking.FieldViolation
	for _, name := range slices.Sorted(maps.Keys(query.values)) {
		if description := queryFault(query, message, name); description != "" {
			faults = append(faults, booking.FieldViolation{Field: name, Description: description})
		}
	}
	return faults
}

func queryFault(query restQuery, message proto.Message, name string) string {
	field := fieldNamed(message, name)
	switch {
	case field == nil:
		return "is not a parameter of this method"
	case query.hasBody:
		return "belongs in the body"
	case field.Name() == "id": // the only path variable that there is
		return "is in the path already"
	case query.given(field) > 1 && !field.IsList():
		return "is given twice"
	default:
		return ""
	}
}

// given is how many values a field has, under either of its names.
func (q restQuery) given(field protoreflect.FieldDescriptor) int {
	given := len(q.values[field.JSONName()])
	if name := string(field.Name()); name != field.JSONName() {
		given += len(q.values[name])
	}
	return given
}
