package middleware

// Side is whom a listener is for, which decides where internal services may come in.
type Side int

const (
	// SideOnly is the only listener: internal services come by gRPC, with a token.
	SideOnly Side = iota
	// SidePublic stands beside an internal one: what makes an internal service
	// elsewhere is ignored here.
	SidePublic
	// SideInternal is for internal services, by every door that has calls.
	SideInternal
)

// Door is the kind of door that a caller has come to.
type Door int

// The kinds of doors. At DoorSocket there are people only, everywhere.
const (
	DoorHTTP Door = iota // Connect and REST
	DoorGRPC             // gRPC and gRPC-Web
	DoorSocket
)

func (s Side) admitsServices(door Door) bool {
	switch s {
	case SideInternal:
		return door != DoorSocket
	case SidePublic:
		return false
	default:
		return door == DoorGRPC
	}
}
