package pgpool

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// registerUUIDs is for each connection once it is made.
func registerUUIDs(_ context.Context, connection *pgx.Conn) error {
	connection.TypeMap().RegisterType(&pgtype.Type{Name: "uuid", OID: pgtype.UUIDOID, Codec: uuidCodec{}})
	return nil
}

// uuidCodec reads and writes ids as the 16 bytes that they are. pgx does not know
// their type, and goes by database/sql: it formats a text, which is parsed. A
// library that wraps the type helps only with writing, since pgx asks for
// database/sql's Scanner first.
type uuidCodec struct{ pgtype.UUIDCodec }

// PlanEncode implements pgtype.Codec.
func (c uuidCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return uuidPlan{}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

// PlanScan implements pgtype.Codec.
func (c uuidCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*uuid.UUID); ok && format == pgtype.BinaryFormatCode {
		return uuidPlan{}
	}
	return c.UUIDCodec.PlanScan(m, oid, format, target)
}

type uuidPlan struct{}

// Encode implements pgtype.EncodePlan.
func (uuidPlan) Encode(value any, buffer []byte) ([]byte, error) {
	id, ok := value.(uuid.UUID)
	if !ok {
		return nil, fmt.Errorf("%T is no uuid.UUID", value)
	}
	return append(buffer, id[:]...), nil
}

// Scan implements pgtype.ScanPlan. NULL leaves the target as it is, as the type's own
// Scan does.
func (uuidPlan) Scan(source []byte, target any) error {
	id, ok := target.(*uuid.UUID)
	if source == nil {
		return nil
	}
	if !ok || len(source) != len(id) {
		return fmt.Errorf("%d bytes are no id for a %T", len(source), target)
	}
	copy(id[:], source)
	return nil
}
