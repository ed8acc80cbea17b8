package rpcapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// decodeJSON is strict, for Connect and REST alike: a typo in idempotencyKey
// does not pass in silence. It fails with VALIDATION_FAILED.
func decodeJSON(data []byte, message proto.Message) error {
	if protojson.Unmarshal(data, message) == nil {
		return asError(misspelledTimes(data, message))
	}
	return jsonFault(data, message)
}

// jsonFault finds the field that is to blame by decoding each alone: protojson
// names it only in sentences that are not stable.
func jsonFault(data []byte, message proto.Message) error {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(data, &body); err != nil || body == nil { // nil is null
		return fault("body", "is not a JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		field := fieldNamed(message.ProtoReflect().Descriptor(), name)
		if field == nil {
			return fault(name, "is not a field of this request")
		}
		alone, err := json.Marshal(map[string]json.RawMessage{name: body[name]})
		if err != nil || protojson.Unmarshal(alone, message.ProtoReflect().New().Interface()) != nil {
			return fault(string(field.Name()), valueFault(field, body[name]))
		}
	}
	return fault("body", "names a field twice")
}

const wrongValue = "has a value of the wrong type or form"

func fault(field, description string) error {
	return apierror.Invalid([]booking.FieldViolation{{Field: field, Description: description}})
}

// fieldNamed finds a field by its JSON or its proto name, nil where there is none.
func fieldNamed(message protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := message.Fields().ByJSONName(name); field != nil {
		return field
	}
	return message.Fields().ByName(protoreflect.Name(name))
}

// decodeBinary ignores unknown fields, as protobuf means them to be. It fails
// with VALIDATION_FAILED.
func decodeBinary(data []byte, message proto.Message) error {
	if proto.Unmarshal(data, message) != nil {
		return fault("body", "is not the binary form of this request, or has text that is not UTF-8")
	}
	return nil
}

// deferredCodec gives connect a form of messages, but does not decode them.
//
// A body that cannot be decoded is refused by connect before any interceptor
// runs, in the words of a library and without details. So Unmarshal only leaves
// the bytes on the message, where fields that the schema does not know are kept,
// and the interceptor decodes them (decodeDeferred): there a failure is answered
// as any other.
type deferredCodec struct {
	name string
	form form
}

// form is how a message is spelled.
type form byte

const (
	formBinary form = iota
	formJSON
)

// deferredCodecs replace connect's own: "json" also goes by its charset.
func deferredCodecs() []deferredCodec {
	return []deferredCodec{
		{name: "proto", form: formBinary},
		{name: "json", form: formJSON},
		{name: "json; charset=utf-8", form: formJSON},
	}
}

// Name implements connect.Codec.
func (c deferredCodec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c deferredCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend lets connect reuse its buffers.
func (c deferredCodec) MarshalAppend(buffer []byte, message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no proto message", message)
	}
	if c.form == formJSON {
		return encodeJSON(buffer, m)
	}
	encoded, err := proto.MarshalOptions{}.MarshalAppend(buffer, m)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return encoded, nil
}

// Unmarshal implements connect.Codec. The form stands in front of the bytes,
// which are copied: connect uses theirs again.
func (c deferredCodec) Unmarshal(data []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no proto message", message)
	}
	m.ProtoReflect().SetUnknown(append(protoreflect.RawFields{byte(c.form)}, data...))
	return nil
}

// decodeDeferred decodes what deferredCodec has left on a message: nothing for
// gRPC's empty message, which connect shows no codec. It fails with
// VALIDATION_FAILED.
func decodeDeferred(message proto.Message) error {
	left := message.ProtoReflect().GetUnknown()
	if len(left) == 0 {
		return nil
	}
	message.ProtoReflect().SetUnknown(nil)
	if form(left[0]) == formJSON {
		return decodeJSON(left[1:], message)
	}
	return decodeBinary(left[1:], message)
}
