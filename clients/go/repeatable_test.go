package bookings

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	bookingsv1 "bookings/gen/bookings/v1"
)

func TestEachMethodHasARuleForBeingRepeated(t *testing.T) {
	t.Parallel()
	for _, file := range []protoreflect.FileDescriptor{
		bookingsv1.File_bookings_v1_booking_service_proto, bookingsv1.File_bookings_v1_event_service_proto,
	} {
		methods := file.Services().Get(0).Methods()
		for i := range methods.Len() {
			procedure := fmt.Sprintf("/%s/%s", file.Services().Get(0).FullName(), methods.Get(i).Name())
			if !methods.Get(i).IsStreamingServer() && repeatable[procedure] == nil {
				t.Errorf("may %s be made again?", procedure)
			}
		}
	}
}
