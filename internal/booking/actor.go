package booking

// Role says on which side of a booking somebody stands.
type Role string

// The three kinds of callers, and what nobody calls for. Internal is a service of
// ours, admitted by token or certificate; it has no user id, nor has System.
const (
	RoleCustomer Role = "customer"
	RoleProvider Role = "provider"
	RoleInternal Role = "internal"
	RoleSystem   Role = "system"
)

// Actor is who calls: a user on one side of bookings, or an internal service.
// Somebody with both roles is two actors.
type Actor struct {
	Role Role
	// ID is the user's id at the identity provider (the JWT's sub), 1 to 128
	// characters; empty for internal services.
	ID string
}

// Internal is the actor for every internal service.
var Internal = Actor{Role: RoleInternal}

// System is the actor of what happens by itself: a PENDING booking expires.
var System = Actor{Role: RoleSystem}

// Owns reports whether b is this actor's own: the side of the booking that the
// role names is the actor. Internal services own every booking.
func (a Actor) Owns(b Booking) bool {
	switch a.Role {
	case RoleCustomer:
		return b.CustomerID == a.ID
	case RoleProvider:
		return b.ProviderID == a.ID
	default:
		return a.Role == RoleInternal
	}
}

// Parties are the two parties with the actor's own side filled in where it is
// left out. It fails with NOT_ALLOWED where the own side names somebody else.
// Internal services have no side: both stay as they are.
func (a Actor) Parties(providerID, customerID string) (provider, customer string, err error) {
	var own *string
	var field string
	switch a.Role {
	case RoleCustomer:
		own, field = &customerID, "customer_id"
	case RoleProvider:
		own, field = &providerID, "provider_id"
	default:
		return providerID, customerID, nil
	}
	if *own != "" && *own != a.ID {
		return "", "", Errorf(ReasonNotAllowed, "a %s acts in the own name only: leave %s out", a.Role, field)
	}
	*own = a.ID
	return providerID, customerID, nil
}
