package feed

import (
	"context"
	"fmt"

	"bookings/gen/sqlc"
	"bookings/internal/pause"
)

// readChannel reads the name of the Redis channel that the instances of this
// installation, and nobody else, talk on. Each of its parts tells apart what the
// others do not: the id of the installation table is of one migrated database,
// but copies of it carry it along; the server's identifier differs where a dump
// was restored on another server; the database's name where it was restored, or
// cloned, on the same. (A database number of Redis would not do: pub/sub knows
// none.) A standby that takes over is the same installation in all three.
//
// The name is last since it alone may contain a colon.
func readChannel(ctx context.Context, db sqlc.DBTX) (string, error) {
	row, err := new(sqlc.Queries).InstallationName(ctx, db)
	if err != nil {
		return "", fmt.Errorf("read the installation's name: %w", err)
	}
	return fmt.Sprintf("bookings:%s:%d:%s", row.ID, row.SystemIdentifier, row.Database), nil
}

// runRedis broadcasts and hears broadcasts. It begins once PostgreSQL can say
// which channel is ours: a server may be started before PostgreSQL, or before it
// is migrated. Until then broadcasts wait in the outbox, and those that it
// has no room for are dropped.
//
// The name is read once. Instances that see their database move to another
// server without its identifier (pg_upgrade, a dump) stay with the old name, all
// alike; one that is started later hears them again after their restart.
func (h *Hub) runRedis(ctx context.Context) {
	channel, err := h.tryChannel(ctx)
	if err != nil {
		h.log.Warn("events are not broadcast through Redis yet: PostgreSQL cannot say on which channel", "error", err)
	}
	for err != nil {
		if !pause.For(ctx, maxPause) {
			return
		}
		channel, err = h.tryChannel(ctx)
	}
	h.redis.run(ctx, channel, h.receive, h.suspectAll)
}

func (h *Hub) tryChannel(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readDeadline)
	defer cancel()
	return readChannel(ctx, h.db)
}
