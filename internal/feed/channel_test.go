package feed_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bookings/internal/embeddedpg"
	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/migrate"
	"bookings/internal/pgtest"
	"bookings/internal/redistest"
)

// openPool is a pool over a database of which there is only the address.
func openPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// copyOn is what a dump of a database is, restored on a server of its own under
// the same name.
func copyOn(t *testing.T, cluster *embeddedpg.Cluster, original *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	name := original.Config().ConnConfig.Database
	admin := openPool(t, cluster.URL("postgres"))
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	if err := migrate.Up(t.Context(), cluster.URL(name)); err != nil {
		t.Fatal(err)
	}
	restored := openPool(t, cluster.URL(name))
	if _, err := restored.Exec(t.Context(), "UPDATE installation SET id = $1", installationID(t, original)); err != nil {
		t.Fatal(err)
	}
	return restored
}

func installationID(t *testing.T, pool *pgxpool.Pool) (id string) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), "SELECT id::text FROM installation").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestInstallationsOnOneRedisNeverHearEachOther(t *testing.T) {
	t.Parallel()
	cluster, err := embeddedpg.Start(t.Context(), embeddedpg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	original := pgtest.New(t)
	restored := copyOn(t, cluster, original)
	clone := pgtest.New(t) // of the same template: it has the same id
	for _, pool := range []*pgxpool.Pool{restored, clone} {
		if installationID(t, pool) != installationID(t, original) {
			t.Fatal("they are not copies: the test proves nothing")
		}
	}
	another := pgtest.New(t)
	if _, err := another.Exec(t.Context(), "UPDATE installation SET id = DEFAULT"); err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t)
	for name, foreign := range map[string]*pgxpool.Pool{
		"a dump restored on another server": restored, "a clone on the same server": clone, "another installation": another,
	} {
		for _, number := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s, database number %d", name, number), func(t *testing.T) {
				t.Parallel()
				neverHears(t, server, original, foreign, number)
			})
		}
	}
}

// neverHears has an installation broadcast fifty events of users who have the
// same names in a foreign one, whose readers may only get its own first.
func neverHears(t *testing.T, server *redistest.Server, pool, foreign *pgxpool.Pool, number int) {
	t.Helper()
	users := []string{"provider " + t.Name(), "customer " + t.Name()}
	w, fw := feedtest.NewWriter(t, pool, users[0], users[1]), feedtest.NewWriter(t, foreign, users[0], users[1])
	options := server.Options()
	options.DB = number
	own, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	// The foreign installation has two instances, to see that its own are heard.
	var hubs []hub
	for range 2 {
		client := redis.NewClient(options)
		t.Cleanup(func() { _ = client.Close() })
		hubs = append(hubs, startHubOver(t, foreign, client, never))
	}
	here, there := follow(t, other, w.Provider, new(feed.Point)), follow(t, hubs[1], fw.Provider, new(feed.Point))
	s := subscribe(t, hubs[1], fw.Provider, nil)
	awaitBroadcast(t, own, here, w.Write)
	awaitBroadcast(t, hubs[0], there, fw.Write)
	for range 50 {
		own.Publish(w.Write())
	}
	here.wants(w.IDs(w.Provider))
	// Sent after those, so that those would have come before it.
	hubs[0].Publish(fw.Write())
	there.wants(fw.IDs(fw.Provider))
	if newest := s.Newest(); newest.Sequence != int64(len(fw.IDs(fw.Provider))) {
		t.Errorf("it has heard of entry %v", newest)
	}
}

func TestAnOrdinaryRoleMayReadTheChannel(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	want, err := feed.ReadChannel(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	for _, sql := range []string{"CREATE ROLE ordinary", "GRANT SELECT ON installation TO ordinary", "SET LOCAL ROLE ordinary"} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if channel, err := feed.ReadChannel(t.Context(), tx); channel != want || err != nil {
		t.Errorf("it reads %q, %v", channel, err)
	}
}

// A server may be started before its database is migrated.
func TestBroadcastsBeginOnceTheDatabaseIsMigrated(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a retry")
	}
	url := pgtest.Empty(t)
	pool, server := openPool(t, url), redistest.Start(t)
	one, other := startHub(t, pool, server, never), startHub(t, pool, server, never)
	eventually(t, func() bool { return one.log.count("not broadcast") > 0 && other.log.count("not broadcast") > 0 })
	if err := migrate.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	w := feedtest.NewWriter(t, pool, "a provider", "a customer")
	// What is published before the channel is known waits, and is not lost.
	one.Publish(w.Write())
	r := follow(t, other, w.Provider, new(feed.Point))
	awaitSubscribers(t, server, pool, 2)
	r.wants(w.IDs(w.Provider))
	pages := other.PagesRead()
	for range 20 {
		one.Publish(w.Write())
	}
	r.wants(w.IDs(w.Provider))
	if other.PagesRead() != pages {
		t.Error("PostgreSQL was asked for what Redis should have brought")
	}
	if one.Dropped() > 0 {
		t.Errorf("%d were dropped", one.Dropped())
	}
}
