package rpcapi

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/apierror"
	"bookings/internal/booking"
)

// validator checks what the proto demands of a request, before any rule of
// package booking is asked.
type validator struct{ rules protovalidate.Validator }

// newValidator compiles the rules of all requests at once: the first use of a
// message costs a millisecond or two.
func newValidator() (validator, error) {
	rules, err := protovalidate.New(protovalidate.WithMessages(requests()...))
	if err != nil {
		return validator{}, fmt.Errorf("compile the proto's validation rules: %w", err)
	}
	return validator{rules: rules}, nil
}

// requests are the messages of both services.
func requests() []proto.Message {
	var all []proto.Message
	for _, file := range []protoreflect.FileDescriptor{
		bookingsv1.File_bookings_v1_booking_service_proto, bookingsv1.File_bookings_v1_event_service_proto,
	} {
		for i := range file.Messages().Len() {
			all = append(all, dynamicpb.NewMessage(file.Messages().Get(i)))
		}
	}
	return all
}

// validate fails with VALIDATION_FAILED, naming every field at fault. It changes
// nothing.
func (v validator) validate(message proto.Message) error {
	if faults := longLists(message); len(faults) > 0 {
		return apierror.Invalid(faults)
	}
	if faults := append(timeFaults(message), v.ruleFaults(message)...); len(faults) > 0 {
		return apierror.Invalid(faults)
	}
	return nil
}

// maxItems is above the limit of every list and map. The proto's rules are asked of
// each item, and would take seconds for as many as a body can hold.
const maxItems = 100

func longLists(message proto.Message) []booking.FieldViolation {
	var faults []booking.FieldViolation
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.IsList() && value.List().Len() > maxItems || field.IsMap() && value.Map().Len() > maxItems {
			faults = append(faults, booking.FieldViolation{Field: string(field.Name()), Description: "has too many values"})
		}
		return true
	})
	return faults
}

// timeFaults finds timestamps outside the years 1 to 9999 or with nanoseconds
// outside a second: the binary form can say them, JSON could never answer them.
func timeFaults(message proto.Message) []booking.FieldViolation {
	var faults []booking.FieldViolation
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.IsList() || field.IsMap() {
			return true
		}
		if at, ok := value.Message().Interface().(*timestamppb.Timestamp); ok && !at.IsValid() {
			faults = append(faults, booking.FieldViolation{
				Field: string(field.Name()), Description: "is not a time between the years 1 and 9999",
			})
		}
		return true
	})
	return faults
}

func (v validator) ruleFaults(message proto.Message) []booking.FieldViolation {
	var broken *protovalidate.ValidationError
	if err := v.rules.Validate(message); !errors.As(err, &broken) {
		if err != nil {
			return []booking.FieldViolation{{Field: "body", Description: "cannot be checked"}}
		}
		return nil
	}
	faults := make([]booking.FieldViolation, 0, len(broken.Violations))
	for _, violation := range broken.Violations {
		faults = append(faults, booking.FieldViolation{
			Field:       protovalidate.FieldPathString(violation.Proto.GetField()),
			Description: strings.TrimPrefix(violation.Proto.GetMessage(), "value "),
		})
	}
	return faults
}
