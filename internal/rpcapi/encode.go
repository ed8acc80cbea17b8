package rpcapi

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	bookingsv1 "bookings/gen/bookings/v1"
)

// marshalJSON spells out fields that have their default value: a reader sees
// what there is without the proto.
var marshalJSON = protojson.MarshalOptions{EmitDefaultValues: true}

// encodeJSON spells an answer as marshalJSON does, but for the space that it strews
// in. That asks the schema anew for each message, which was a third of a list; here
// what the schema says is kept, as a writer for each type of message. What our
// schema has none of is left to it.
func encodeJSON(buffer []byte, message proto.Message) ([]byte, error) {
	descriptor := message.ProtoReflect().Descriptor()
	known, ok := writers.Load(descriptor)
	if !ok {
		known, _ = writers.LoadOrStore(descriptor, messageWriter(descriptor))
	}
	write, _ := known.(writer)
	return write(buffer, protoreflect.ValueOfMessage(message.ProtoReflect()))
}

// writers are kept by the descriptor of their message.
var writers sync.Map

// writer appends a value as JSON.
type writer func(buffer []byte, value protoreflect.Value) ([]byte, error)

// member is a field of a message with its name as JSON, the colon included.
type member struct {
	field protoreflect.FieldDescriptor
	name  string
	// optional tells that it is left out where it is not set.
	optional bool
	write    writer
}

// messageWriter writes the messages of our schema, and times.
func messageWriter(message protoreflect.MessageDescriptor) writer {
	if message.FullName() == "google.protobuf.Timestamp" {
		return appendTime
	}
	if message.ParentFile().Package() != bookingsv1.File_bookings_v1_booking_proto.Package() {
		return appendForeign
	}
	var members []member
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		write := fieldWriter(field)
		if write == nil {
			return appendForeign
		}
		members = append(members, member{field: field, name: strconv.Quote(field.JSONName()) + ":", optional: field.HasPresence(), write: write})
	}
	return func(buffer []byte, value protoreflect.Value) ([]byte, error) {
		return appendMembers(buffer, value.Message(), members)
	}
}

func appendForeign(buffer []byte, value protoreflect.Value) ([]byte, error) {
	return appendByProtojson(buffer, value.Message().Interface())
}

func appendByProtojson(buffer []byte, message proto.Message) ([]byte, error) {
	encoded, err := marshalJSON.MarshalAppend(buffer, message)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return encoded, nil
}

func appendMembers(buffer []byte, message protoreflect.Message, members []member) (_ []byte, err error) {
	open := byte('{')
	for i := range members {
		m := &members[i]
		if m.optional && !message.Has(m.field) {
			continue
		}
		buffer = append(append(buffer, open), m.name...)
		if buffer, err = m.write(buffer, message.Get(m.field)); err != nil {
			return nil, err
		}
		open = ','
	}
	return closed(buffer, open, '{', '}'), nil
}

// closed ends what may be empty, and has not been opened then.
func closed(buffer []byte, next, open, end byte) []byte {
	if next == open {
		buffer = append(buffer, open)
	}
	return append(buffer, end)
}

// fieldWriter is nil for what our API does not have.
func fieldWriter(field protoreflect.FieldDescriptor) writer {
	switch {
	case field.IsMap() && field.MapKey().Kind() == protoreflect.StringKind:
		return mapWriter(valueWriter(field.MapValue()))
	case field.IsMap():
		return nil
	case field.IsList():
		return listWriter(valueWriter(field))
	default:
		return valueWriter(field)
	}
}

func listWriter(write writer) writer {
	if write == nil {
		return nil
	}
	return func(buffer []byte, value protoreflect.Value) (_ []byte, err error) {
		open, list := byte('['), value.List()
		for i := range list.Len() {
			if buffer, err = write(append(buffer, open), list.Get(i)); err != nil {
				return nil, err
			}
			open = ','
		}
		return closed(buffer, open, '[', ']'), nil
	}
}

// mapWriter sorts the keys: the same map is always the same bytes.
func mapWriter(write writer) writer {
	if write == nil {
		return nil
	}
	return func(buffer []byte, value protoreflect.Value) (_ []byte, err error) {
		open := byte('{')
		for _, key := range sortedKeys(value.Map()) {
			if buffer, err = appendText(append(buffer, open), key.Value()); err != nil {
				return nil, err
			}
			if buffer, err = write(append(buffer, ':'), value.Map().Get(key)); err != nil {
				return nil, err
			}
			open = ','
		}
		return closed(buffer, open, '{', '}'), nil
	}
}

func sortedKeys(entries protoreflect.Map) []protoreflect.MapKey {
	if entries.Len() == 0 {
		return nil
	}
	keys := make([]protoreflect.MapKey, 0, entries.Len())
	entries.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// valueWriter is nil for what our API does not have.
func valueWriter(field protoreflect.FieldDescriptor) writer {
	switch field.Kind() {
	case protoreflect.StringKind:
		return appendText
	case protoreflect.EnumKind:
		return enumWriter(field.Enum())
	case protoreflect.MessageKind:
		write := sync.OnceValue(func() writer { return messageWriter(field.Message()) }) // not before: a message may hold its like
		return func(buffer []byte, value protoreflect.Value) ([]byte, error) { return write()(buffer, value) }
	case protoreflect.BoolKind:
		return func(buffer []byte, value protoreflect.Value) ([]byte, error) {
			return strconv.AppendBool(buffer, value.Bool()), nil
		}
	case protoreflect.Int32Kind:
		return func(buffer []byte, value protoreflect.Value) ([]byte, error) {
			return strconv.AppendInt(buffer, value.Int(), 10), nil
		}
	case protoreflect.Int64Kind: // a text, as 64 bits do not fit a JSON number
		return func(buffer []byte, value protoreflect.Value) ([]byte, error) {
			return append(strconv.AppendInt(append(buffer, '"'), value.Int(), 10), '"'), nil
		}
	default:
		return nil
	}
}

// enumWriter writes the number of a value that has no name.
func enumWriter(enum protoreflect.EnumDescriptor) writer {
	names := map[protoreflect.EnumNumber]string{}
	for i := range enum.Values().Len() {
		value := enum.Values().Get(i)
		if _, alias := names[value.Number()]; !alias {
			names[value.Number()] = strconv.Quote(string(value.Name()))
		}
	}
	return func(buffer []byte, value protoreflect.Value) ([]byte, error) {
		if name, ok := names[value.Enum()]; ok {
			return append(buffer, name...), nil
		}
		return strconv.AppendInt(buffer, int64(value.Enum()), 10), nil
	}
}

// appendTime has 0, 3, 6 or 9 digits behind the second, as the proto's JSON has.
func appendTime(buffer []byte, value protoreflect.Value) ([]byte, error) {
	at, ok := value.Message().Interface().(*timestamppb.Timestamp)
	if !ok || !at.IsValid() {
		return appendForeign(buffer, value)
	}
	buffer = at.AsTime().AppendFormat(append(buffer, '"'), time.RFC3339)
	point := len(buffer) - 1 // in place of the Z
	buffer = strconv.AppendInt(buffer[:point], int64(time.Second)+int64(at.GetNanos()), 10)
	buffer[point] = '.' // in place of the 1
	for range 3 {
		buffer = bytes.TrimSuffix(buffer, []byte("000"))
	}
	return append(bytes.TrimSuffix(buffer, []byte(".")), `Z"`...), nil
}

// appendText leaves control characters, and what is no text, to protojson.
func appendText(buffer []byte, value protoreflect.Value) ([]byte, error) {
	text := value.String()
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return appendByProtojson(buffer, wrapperspb.String(text))
	}
	buffer = append(buffer, '"')
	for i := strings.IndexAny(text, `"\`); i >= 0; i = strings.IndexAny(text, `"\`) {
		buffer = append(append(buffer, text[:i]...), '\\', text[i])
		text = text[i+1:]
	}
	return append(append(buffer, text...), '"'), nil
}
