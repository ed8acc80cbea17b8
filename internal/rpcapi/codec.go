package rpcapi

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"connectrpc.com/vanguard"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/internal/booking"
)

// A body that cannot be decoded is refused by connect before any interceptor
// runs, in the words of a library and without details. So the codecs here never
// fail: they leave what they found wrong on the message, as an unknown field
// that no schema can declare, and the interceptor refuses it as it refuses any
// other bad field. The nonce keeps callers from leaving such a note themselves:
// theirs is an unknown binary field like any other, and ignored.
var faultNonce = []byte(rand.Text())

// faultField is in the range that protobuf keeps from schemas.
const faultField protowire.Number = 19500

func leaveFault(message proto.Message, fault booking.FieldViolation) {
	proto.Reset(message)
	note, err := json.Marshal(fault)
	if err != nil {
		panic(err) // two strings
	}
	raw := protowire.AppendTag(nil, faultField, protowire.BytesType)
	raw = protowire.AppendBytes(raw, append(append([]byte{}, faultNonce...), note...))
	message.ProtoReflect().SetUnknown(raw)
}

// findFault is the fault that a codec left on a message, if any.
func findFault(message proto.Message) (fault booking.FieldViolation, found bool) {
	unknown := message.ProtoReflect().GetUnknown()
	for len(unknown) > 0 {
		number, kind, size := protowire.ConsumeField(unknown)
		if size < 0 {
			return fault, false
		}
		if number == faultField && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(unknown)
			note, _ := protowire.ConsumeBytes(unknown[tag:])
			if len(note) > len(faultNonce) && string(note[:len(faultNonce)]) == string(faultNonce) {
				return fault, json.Unmarshal(note[len(faultNonce):], &fault) == nil
			}
		}
		unknown = unknown[size:]
	}
	return fault, false
}

// jsonCodec is JSON for Connect and REST alike: strict about unknown fields, so
// that a typo in idempotencyKey does not pass in silence, and with all scalar
// fields spelled out.
type jsonCodec struct{ vanguard.JSONCodec }

func newJSONCodec() jsonCodec {
	return jsonCodec{vanguard.JSONCodec{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}}
}

// Unmarshal implements vanguard.Codec.
func (c jsonCodec) Unmarshal(data []byte, message proto.Message) error {
	if err := c.JSONCodec.Unmarshal(data, message); err != nil {
		leaveFault(message, c.fault(data, message))
	}
	return nil
}

// UnmarshalField implements vanguard.RESTCodec.
func (c jsonCodec) UnmarshalField(data []byte, message proto.Message, field protoreflect.FieldDescriptor) error {
	if err := c.JSONCodec.UnmarshalField(data, message, field); err != nil {
		leaveFault(message, wrongValue(field))
	}
	return nil
}

// fault finds the field that is to blame by decoding each alone: protojson names
// it only in sentences that are not stable.
func (c jsonCodec) fault(data []byte, message proto.Message) booking.FieldViolation {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(data, &body); err != nil {
		return booking.FieldViolation{Field: "body", Description: "is not a JSON object"}
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		field := fieldNamed(message, name)
		if field == nil {
			return booking.FieldViolation{Field: name, Description: "is not a field of this request"}
		}
		alone, err := json.Marshal(map[string]json.RawMessage{name: body[name]})
		if err != nil || c.JSONCodec.Unmarshal(alone, message.ProtoReflect().New().Interface()) != nil {
			return wrongValue(field)
		}
	}
	return booking.FieldViolation{Field: "body", Description: "names a field twice"}
}

func wrongValue(field protoreflect.FieldDescriptor) booking.FieldViolation {
	return booking.FieldViolation{Field: string(field.Name()), Description: "has a value of the wrong type or form"}
}

// fieldNamed finds a field by its JSON or its proto name.
func fieldNamed(message proto.Message, name string) protoreflect.FieldDescriptor {
	fields := message.ProtoReflect().Descriptor().Fields()
	if field := fields.ByJSONName(name); field != nil {
		return field
	}
	return fields.ByName(protoreflect.Name(name))
}

// unmarshalBinary ignores unknown fields.
func unmarshalBinary(data []byte, message proto.Message) {
	if err := proto.Unmarshal(data, message); err != nil {
		leaveFault(message, booking.FieldViolation{
			Field: "body", Description: "is not the binary form of this request, or has text that is not UTF-8",
		})
	}
}

// connectCodec gives either form to connect, under its name.
type connectCodec struct {
	name      string
	marshal   func(proto.Message) ([]byte, error)
	unmarshal func([]byte, proto.Message)
}

// connectCodecs replace connect's own: "json" also goes by its charset.
func connectCodecs() []connectCodec {
	text := newJSONCodec()
	toText := func(message proto.Message) ([]byte, error) { return text.MarshalAppend(nil, message) }
	fromText := func(data []byte, message proto.Message) { _ = text.Unmarshal(data, message) }
	return []connectCodec{
		{name: "proto", marshal: proto.Marshal, unmarshal: unmarshalBinary},
		{name: "json", marshal: toText, unmarshal: fromText},
		{name: "json; charset=utf-8", marshal: toText, unmarshal: fromText},
	}
}

// Name implements connect.Codec.
func (c connectCodec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c connectCodec) Marshal(message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no proto message", message)
	}
	return c.marshal(m)
}

// Unmarshal implements connect.Codec.
func (c connectCodec) Unmarshal(data []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no proto message", message)
	}
	c.unmarshal(data, m)
	return nil
}
