package rpcapi

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"bookings/internal/apierror"
	"bookings/internal/booking"
)

var (
	// spelledTime is a time of RFC 3339, and what is nearly one: date, hour, minute,
	// second, its fraction and the offset.
	spelledTime   = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(.*)$`)
	spelledOffset = regexp.MustCompile(`^[+-](\d\d):(\d\d)$`)
	timestampName = (*timestamppb.Timestamp)(nil).ProtoReflect().Descriptor().FullName()
)

// timeFault says what is wrong with a time as JSON and queries spell it; empty
// where its spelling is right. protojson says only that it is wrong, and takes
// some that are: an offset of 24 hours, an hour of one digit.
func timeFault(text string) string {
	parts := spelledTime.FindStringSubmatch(text)
	if parts == nil {
		return "is not a time such as 2027-06-01T09:00:00Z"
	}
	day, hour, minute, second, fraction, offset := parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]
	switch _, err := time.Parse(time.DateOnly, day); {
	case err != nil:
		return "names a day that does not exist"
	case hour > "23" || minute > "59" || second > "59":
		return "has an hour past 23, or a minute or second past 59"
	case len(fraction) > len(".123456789"):
		return "has more than 9 digits of a second"
	}
	return offsetFault(offset)
}

func offsetFault(offset string) string {
	parts := spelledOffset.FindStringSubmatch(offset)
	switch {
	case offset == "Z":
		return ""
	case offset == "":
		return "lacks an offset, such as Z"
	case strings.HasPrefix(offset, " "):
		return "has a space in place of a sign: in a query + is written %2B"
	case parts == nil:
		return "has an offset that is neither Z nor one such as +01:00"
	case parts[1] > "23" || parts[2] > "59":
		return "has an offset past 23:59"
	default:
		return ""
	}
}

// valueFault says what is wrong with a value that protojson does not take.
func valueFault(field protoreflect.FieldDescriptor, value json.RawMessage) string {
	var text string
	if !isTime(field) || json.Unmarshal(value, &text) != nil {
		return wrongValue
	}
	if fault := timeFault(text); fault != "" {
		return fault
	}
	return "is not a time between the years 1 and 9999"
}

// misspelledTimes finds the times that protojson has taken and should not have.
func misspelledTimes(data []byte, message proto.Message) (faults []booking.FieldViolation) {
	var body map[string]json.RawMessage // decoded only where there is a time
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if !isTime(field) {
			return true
		}
		if body == nil && json.Unmarshal(data, &body) != nil {
			return false
		}
		var text string
		for _, name := range []string{field.JSONName(), string(field.Name())} {
			if json.Unmarshal(body[name], &text) == nil {
				break
			}
		}
		if fault := timeFault(text); fault != "" {
			faults = append(faults, booking.FieldViolation{Field: string(field.Name()), Description: fault})
		}
		return true
	})
	return faults
}

func isTime(field protoreflect.FieldDescriptor) bool {
	return field.Message() != nil && field.Message().FullName() == timestampName && !field.IsList()
}

// asError is nil for no faults.
func asError(faults []booking.FieldViolation) error {
	if len(faults) == 0 {
		return nil
	}
	return apierror.Invalid(faults)
}
