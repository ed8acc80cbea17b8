package apierror

import (
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// WriteStatus answers an HTTP request with an error as a bare google.rpc.Status
// in JSON, under the HTTP status of its code.
func (r Responder) WriteStatus(w http.ResponseWriter, request *http.Request, err error) {
	told := r.ToConnect(request.Context(), err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statuses[told.Code()])
	_, _ = w.Write(statusJSON(told))
}

// statusJSON is the error as a google.rpc.Status, its details unpacked.
func statusJSON(told *connect.Error) []byte {
	shown := &status.Status{Code: int32(told.Code()), Message: told.Message()}
	for _, detail := range told.Details() {
		if value, err := detail.Value(); err == nil {
			if packed, err := anypb.New(value); err == nil {
				shown.Details = append(shown.Details, packed)
			}
		}
	}
	body, err := protojson.Marshal(shown)
	if err != nil {
		return []byte(`{"code":13,"message":"internal error"}`)
	}
	return body
}
