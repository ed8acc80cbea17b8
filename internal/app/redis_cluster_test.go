package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"bookings/internal/feed"
	"bookings/internal/feedtest"
	"bookings/internal/pgtest"
)

// slots is how many slots a Redis Cluster has.
const slots = 16384

// startCluster runs three nodes that share the slots, and returns the URL that
// names them all.
func startCluster(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server on the PATH (Debian: apt-get install redis-server)")
	}
	ports := freePorts(t, 6)
	nodes, buses := ports[:3], ports[3:]
	for i := range nodes {
		startNode(t, nodes[i], buses[i])
	}
	for i := range nodes {
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + nodes[i]})
		first, last := slots*i/len(nodes), slots*(i+1)/len(nodes)-1
		awaitNode(t, client)
		do(t, client, "CLUSTER", "ADDSLOTSRANGE", first, last)
		do(t, client, "CLUSTER", "MEET", "127.0.0.1", nodes[0], buses[0])
		t.Cleanup(func() { _ = client.Close() })
		defer pgtest.Eventually(t, "a Cluster that is whole", func() bool {
			info, _ := client.ClusterInfo(t.Context()).Result()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return fmt.Sprintf("redis://127.0.0.1:%s?addr=127.0.0.1:%s&addr=127.0.0.1:%s", nodes[0], nodes[1], nodes[2])
}

func startNode(t *testing.T, port, bus string) {
	t.Helper()
	node := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
		"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000")
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = node.Process.Kill()
		_ = node.Wait()
	})
}

func awaitNode(t *testing.T, client *redis.Client) {
	t.Helper()
	pgtest.Eventually(t, "a node that answers", func() bool { return client.Ping(t.Context()).Err() == nil })
}

func do(t *testing.T, client *redis.Client, args ...any) {
	t.Helper()
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = listener.Close() }()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	return ports
}

// openHub is an instance's hub, its Redis made from the URL as a server does.
func openHub(t *testing.T, pool *pgxpool.Pool, url string) *feed.Hub {
	t.Helper()
	client, err := redisClient(url)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	hub := feed.NewHub(pool, feed.NewRedis(client, log), log)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = client.Close()
	})
	return hub
}

func TestARedisClusterCarriesEventsBetweenInstances(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts six servers")
	}
	url := startCluster(t)
	pool := pgtest.New(t)
	one, other := openHub(t, pool, url), openHub(t, pool, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Each pair has feeds of its own; all are carried by one channel.
	for pair := range 5 {
		w := feedtest.NewWriter(t, pool, "provider "+strconv.Itoa(pair), "customer "+strconv.Itoa(pair))
		subscription, err := other.Subscribe(ctx, w.Provider, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(subscription.Close)
		read := func() {
			t.Helper()
			if _, err := subscription.Next(ctx); err != nil {
				t.Fatal(err)
			}
		}
		// Once the first has come the instance is up to date.
		one.Publish(w.Write())
		read()
		pages := other.PagesRead()
		for range 20 {
			one.Publish(w.Write())
			read()
		}
		// A Cluster that has just met may still lose one between its nodes.
		if asked := other.PagesRead() - pages; asked > 5 {
			t.Errorf("PostgreSQL was asked %d times for what the Cluster should have brought", asked)
		}
	}
}
