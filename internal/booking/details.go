package booking

// Details are what the parties write into a booking for themselves: no rule
// depends on them. A request has them, and its booking takes them over whole.
type Details struct {
	// Note is for people, at most 1,000 characters.
	Note string
}

// parts are the details as Fingerprint takes them. A field that is added later
// joins only where it is set, and with its name in front: keys of calls that were
// answered before there was such a field must still be recognized.
func (d Details) parts() []string {
	return []string{d.Note}
}
