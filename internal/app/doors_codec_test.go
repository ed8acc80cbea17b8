package app

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// codec is a client's that can send what no honest one would.
type codec struct {
	form string
	raw  []byte
}

func (c codec) Name() string   { return c.form }
func (c codec) IsBinary() bool { return c.form == formProto }

func (c codec) Marshal(message any) ([]byte, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	if c.form == formJSON {
		return protojson.Marshal(message.(proto.Message))
	}
	return proto.Marshal(message.(proto.Message))
}

// MarshalStable lets connect-go put the message into a query.
func (c codec) MarshalStable(message any) ([]byte, error) { return c.Marshal(message) }

func (c codec) Unmarshal(data []byte, message any) error {
	if c.form == formJSON {
		return protojson.Unmarshal(data, message.(proto.Message))
	}
	return proto.Unmarshal(data, message.(proto.Message))
}
