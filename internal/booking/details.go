package booking

import (
	"maps"
	"slices"
	"strconv"
)

// Details are what the parties write into a booking for themselves: no rule
// depends on them. A request has them, and its booking takes them over whole.
type Details struct {
	// Note is for people, at most 1,000 characters.
	Note string
	// Metadata are for programs.
	Metadata Metadata
}

// Metadata are the caller's own facts: at most 20 entries, with keys of 1 to 40
// characters of [A-Za-z0-9_.-] and values of at most 500 characters.
type Metadata map[string]string

// equal reports whether both say the same, byte for byte.
func (d Details) equal(other Details) bool {
	return d.Note == other.Note && maps.Equal(d.Metadata, other.Metadata)
}

// parts are the details as Fingerprint takes them. A field that is added later
// joins only where it is set, and with its name in front: keys of calls that were
// answered before there was such a field must still be recognized. One of several
// parts says how many, so that it cannot be taken for what follows it.
func (d Details) parts() []string {
	parts := []string{d.Note}
	if len(d.Metadata) > 0 {
		parts = append(parts, "metadata", strconv.Itoa(len(d.Metadata)))
		for _, key := range slices.Sorted(maps.Keys(d.Metadata)) {
			parts = append(parts, key, d.Metadata[key])
		}
	}
	return parts
}

// Patch is what an update changes of a booking's details; nil leaves a field as it
// is.
type Patch struct {
	Note *string
	// Metadata take the place of all that there were.
	Metadata *Metadata
}

func (p Patch) apply(d Details) Details {
	if p.Note != nil {
		d.Note = *p.Note
	}
	if p.Metadata != nil {
		d.Metadata = *p.Metadata
	}
	return d
}
