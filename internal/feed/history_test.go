package feed_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// namesake is a database whose Redis channel is another's.
type namesake struct {
	*pgxpool.Pool

	other *pgxpool.Pool
}

func (n namesake) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if strings.HasPrefix(sql, "-- name: InstallationName ") {
		return n.other.QueryRow(ctx, sql, args...)
	}
	return n.Pool.QueryRow(ctx, sql, args...)
}

// strangers are two databases, each with an instance that writes and one that
// hears, all of them on one channel.
type strangers struct {
	writers          [2]*feedtest.Writer
	writing, hearing [2]hub
}

func startStrangers(t *testing.T, channel *pgxpool.Pool, writers [2]*feedtest.Writer, pools [2]*pgxpool.Pool) strangers {
	t.Helper()
	s := strangers{writers: writers}
	server := redistest.Start(t)
	for i, pool := range pools {
		for _, h := range []*hub{&s.writing[i], &s.hearing[i]} {
			*h = startHubOver(t, namesake{Pool: pool, other: channel}, server.Client(), often)
		}
	}
	awaitSubscribers(t, server, channel, 4)
	return s
}

// write has both databases write and broadcast side by side.
func (s strangers) write(n int) {
	inParallel(2, func(i int) {
		for range n {
			s.writing[i].Publish(s.writers[i].Write())
		}
	})
}

// Nothing but the ids tells a broadcast of another database, whose users have the
// same names.
func TestBroadcastsOfAnotherDatabaseReachNobody(t *testing.T) {
	t.Parallel()
	pools := [2]*pgxpool.Pool{pgtest.New(t), pgtest.New(t)}
	var writers [2]*feedtest.Writer
	for i, pool := range pools {
		writers[i] = feedtest.NewWriter(t, pool, "a provider", "a customer")
	}
	s := startStrangers(t, pools[0], writers, pools)
	var readers [2][]*reader
	keys := []feed.Key{writers[0].Provider, writers[0].Customer, feed.All}
	for i, h := range s.hearing {
		for _, key := range keys {
			readers[i] = append(readers[i], follow(t, h, key, nil))
		}
	}
	s.write(200)
	for i, pool := range pools {
		eventually(t, func() bool { return countOf(t, pool, "event_outbox") == 0 })
		for j, key := range keys {
			readers[i][j].wants(writers[i].IDs(key))
		}
	}
}

// A copy of a server that runs beside it has its channel, too. What is written
// first in one follows on what the other has, so that it may be delivered there;
// but then its reader is told.
func TestReadersBesideACopyHaveTheirOwnFeedOrAreTold(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts two servers of PostgreSQL")
	}
	pair := pgtest.NewPair(t)
	original := openPool(t, pair.Primary())
	w := feedtest.NewWriter(t, original, "a provider", "a customer")
	w.Fill(3)
	pair.CatchUp()
	pair.Sever()
	pair.Promote()
	pools := [2]*pgxpool.Pool{original, openPool(t, pair.Standby())}
	s := startStrangers(t, original, [2]*feedtest.Writer{w, w.On(pools[1])}, pools)
	var readers [2][]*reader
	for i, h := range s.hearing {
		for range 10 {
			readers[i] = append(readers[i], follow(t, h, w.Provider, number(0)))
		}
	}
	// One is ahead of the other by an entry, which is the next one there, too.
	s.writing[1].Publish(s.writers[1].Write())
	checkOwnOrTold(t, s, readers)
	s.write(100)
	checkOwnOrTold(t, s, readers)
	for i, h := range s.hearing {
		follow(t, h, w.Provider, number(3)).wants(s.writers[i].IDs(w.Provider)[3:])
	}
}

func checkOwnOrTold(t *testing.T, s strangers, readers [2][]*reader) {
	t.Helper()
	for i, all := range readers {
		own := s.writers[i].IDs(s.writers[i].Provider)
		for _, r := range all {
			eventually(t, func() bool {
				got, err := r.state()
				return errors.Is(err, feed.ErrOtherHistory) || err == nil && slices.Equal(got, own)
			})
		}
	}
}
