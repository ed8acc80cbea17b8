package rpcapi

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Every message of ours, the nested ones included, is the same JSON as protojson
// makes of it, byte for byte but for the space that protojson strews in; or both
// refuse it.
func TestAnswersAreSpelledAsProtojsonSpellsThem(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := randomMessages{rand.New(rand.NewPCG(seed, 0))}
	refused := 0
	protoregistry.GlobalTypes.RangeMessages(func(message protoreflect.MessageType) bool {
		if message.Descriptor().ParentFile().Package() != "bookings.v1" {
			return true
		}
		for range 300 {
			made := message.New()
			random.fill(made)
			if !checkSpelling(t, made.Interface()) {
				refused++
			}
			if t.Failed() {
				t.Fatalf("seed %d, %s: %v", seed, message.Descriptor().FullName(), made)
			}
		}
		return true
	})
	if refused == 0 {
		t.Error("no message was refused: those that are not UTF-8 are missing")
	}
}

// checkSpelling reports whether the message can be spelled.
func checkSpelling(t *testing.T, message proto.Message) bool {
	t.Helper()
	spelled, err := marshalJSON.Marshal(message)
	got, gotErr := encodeJSON([]byte("before"), message)
	if err != nil || gotErr != nil {
		if err == nil || gotErr == nil {
			t.Errorf("refused with %v, by protojson with %v", gotErr, err)
		}
		return false
	}
	want := bytes.NewBufferString("before")
	if err := json.Compact(want, spelled); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	compact.WriteString("before")
	if err := json.Compact(&compact, got[len("before"):]); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if !bytes.HasPrefix(got, []byte("before")) || !bytes.Equal(compact.Bytes(), want.Bytes()) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	return true
}

// randomMessages sets about two of three fields of a message.
type randomMessages struct{ *rand.Rand }

func (r randomMessages) fill(message protoreflect.Message) {
	switch known := message.Interface().(type) {
	case *timestamppb.Timestamp:
		known.Seconds, known.Nanos = r.Int64N(253402300799), r.Int32N(1_000)*int32(math.Pow10(3*r.IntN(3)))
		if r.IntN(500) == 0 {
			known.Nanos = -1
		}
	case *structpb.Struct:
		known.Fields = map[string]*structpb.Value{r.text(): structpb.NewStringValue(r.text()), "n": structpb.NewNumberValue(r.Float64())}
	case *fieldmaskpb.FieldMask:
		known.Paths = []string{"note", "start_time"}
	default:
		for i := range message.Descriptor().Fields().Len() {
			if r.IntN(3) > 0 {
				r.set(message, message.Descriptor().Fields().Get(i))
			}
		}
	}
}

func (r randomMessages) set(message protoreflect.Message, field protoreflect.FieldDescriptor) {
	switch {
	case field.IsMap():
		entries := message.Mutable(field).Map()
		for range r.IntN(4) {
			entries.Set(protoreflect.ValueOfString(r.text()).MapKey(), r.value(field.MapValue(), entries.NewValue))
		}
	case field.IsList():
		list := message.Mutable(field).List()
		for range r.IntN(4) {
			list.Append(r.value(field, list.NewElement))
		}
	default:
		message.Set(field, r.value(field, func() protoreflect.Value { return message.NewField(field) }))
	}
}

func (r randomMessages) value(field protoreflect.FieldDescriptor, empty func() protoreflect.Value) protoreflect.Value {
	number := []int64{0, 1, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}[r.IntN(7)]
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(r.text())
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(r.IntN(2) > 0)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(number)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(r.IntN(8)))
	case protoreflect.MessageKind:
		made := empty()
		r.fill(made.Message())
		return made
	default:
		panic("give a random value of " + field.Kind().String())
	}
}

// text is of anything that JSON has to think about, seldom no text at all.
func (r randomMessages) text() string {
	pieces := []string{"", "a haircut", `"`, `\`, "/", "<&>", "\n\t\r\b\f", "\x00\x1f\x7f", "ü", "\u2028", "\ufffd", "𝄞", "\u0085"}
	var text strings.Builder
	for range r.IntN(5) {
		text.WriteString(pieces[r.IntN(len(pieces))])
	}
	if r.IntN(200) == 0 {
		text.WriteString("\xff")
	}
	return text.String()
}
