package pgpool

import (
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// cancelPatience is how long a statement that was cancelled may take to end
// before its connection is given up.
const cancelPatience = time.Second

// throughPooler changes a pool into one behind a pooler in transaction mode, as
// PgBouncer's: the server's session is another one in each transaction. So
// nothing may be set at the start of a connection (PgBouncer refuses that), and
// no prepared statement has a name: a statement is described once and then sent
// whole, in as many round trips as before.
func throughPooler(config *pgxpool.Config) {
	for name := range bounds {
		delete(config.ConnConfig.RuntimeParams, name)
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	// What no transaction bounds is bounded by its context: the server is told, by
	// a request that poolers pass on, so that no statement goes on without us.
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelPatience}
	}
}

// boundedBegin begins a transaction that has the bounds of a call, in one round
// trip. They end with it.
func boundedBegin() pgx.TxOptions {
	sql := []string{"BEGIN ISOLATION LEVEL READ COMMITTED"}
	for name, value := range bounds {
		if name != "default_transaction_isolation" {
			sql = append(sql, "SET LOCAL "+name+" = '"+value+"'")
		}
	}
	slices.Sort(sql) // BEGIN is first so, too
	return pgx.TxOptions{BeginQuery: strings.Join(sql, "; ")}
}
