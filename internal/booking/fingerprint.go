package booking

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint tells two calls with one idempotency key apart: SHA-256 over the
// caller, the customer, the slot and the note, byte for byte. The parts carry
// their lengths, so that no two calls run together.
func Fingerprint(by Actor, r Request) []byte {
	hash := sha256.New()
	for _, part := range []string{string(by.Role), by.ID, r.CustomerID, timeName(r.Slot.Start), timeName(r.Slot.End), r.Note} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hash.Sum(nil)
}
