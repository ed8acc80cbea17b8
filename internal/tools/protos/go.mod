// The modules that the imported .proto files are copied out of (protos.sh).
module bookings/internal/tools/protos

go 1.26.0

require (
	github.com/bufbuild/protovalidate v1.2.2
	github.com/google/gnostic v0.7.1
)
