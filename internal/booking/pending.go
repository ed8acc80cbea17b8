package booking

// CheckPending fails with TOO_MANY_PENDING where a customer's request would go
// past the limit: b is the booking as it would be, others how many PENDING ones
// with a future end the customer has at this provider besides it.
func CheckPending(b Booking, by Actor, others, limit int64) error {
	if by.Role == RoleCustomer && b.Status == StatusPending && others >= limit {
		return Errorf(ReasonTooManyPending,
			"a customer holds at most %d pending bookings at one provider: wait for an answer or cancel one", limit)
	}
	return nil
}
