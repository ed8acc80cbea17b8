package clock

import "context"

// Round is one round of Run.
func (c *Clock) Round(ctx context.Context) { c.round(ctx) }
