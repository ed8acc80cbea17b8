package booking

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Fingerprint tells two calls with one idempotency key apart: SHA-256 over the
// caller, the customer, the slot, the details and the leads, byte for byte. The parts carry
// their lengths, so that no two calls run together. It is stored with the
// booking: a change of how it is made turns the retry of a call that an earlier
// version has answered into another call.
func Fingerprint(by Actor, r Request) []byte {
	hash := sha256.New()
	parts := []string{string(by.Role), by.ID, r.CustomerID, timeName(r.Slot.Start), timeName(r.Slot.End)}
	for _, part := range slices.Concat(parts, r.parts(), r.Leads.parts()) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hash.Sum(nil)
}
