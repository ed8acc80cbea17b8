package pgpool

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"bookings/internal/pgtest"
)

// Ids are the same however a statement is sent: prepared, as behind a pooler, and
// as text.
func TestIDsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	id, other := uuid.Must(uuid.NewV7()), uuid.New()
	for _, pooler := range []bool{false, true} {
		pool, err := Open(t.Context(), pgtest.URL(t), pooler, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		for _, mode := range []pgx.QueryExecMode{pool.Config().ConnConfig.DefaultQueryExecMode, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			var one, null uuid.UUID
			var pointer, none *uuid.UUID
			var several []uuid.UUID
			var text string
			row := pool.QueryRow(t.Context(), `SELECT $1::uuid, $1::uuid, NULL::uuid, NULL::uuid, ARRAY[$1, $2]::uuid[], $1::uuid::text`, mode, id, &other)
			if err := row.Scan(&one, &pointer, &none, &null, &several, &text); err != nil {
				t.Fatalf("%v: %v", mode, err)
			}
			if one != id || *pointer != id || none != nil || null != uuid.Nil || len(several) != 2 || several[1] != other || text != id.String() {
				t.Errorf("%v: %v, %v, %v, %v, %v, %v; want %v", mode, one, pointer, none, null, several, text, id)
			}
		}
	}
}

func TestIDsTakeNoWayThroughText(t *testing.T) {
	t.Parallel()
	pool := openNew(t)
	connection, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Release()
	types := connection.Conn().TypeMap()
	if plan, ok := types.PlanScan(pgtype.UUIDOID, pgtype.BinaryFormatCode, new(uuid.UUID)).(uuidPlan); !ok {
		t.Errorf("they are read by %T", plan)
	}
	if plan, ok := types.PlanEncode(pgtype.UUIDOID, pgtype.BinaryFormatCode, uuid.New()).(uuidPlan); !ok {
		t.Errorf("they are written by %T", plan)
	}
}
