package apierror

import (
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// statusCanceled is what the contract says of a caller who has gone away; no RFC
// knows it.
const statusCanceled = 499

// statuses are the HTTP statuses of codes, as google.rpc.Code has them.
var statuses = map[connect.Code]int{
	connect.CodeInvalidArgument:    http.StatusBadRequest,
	connect.CodeOutOfRange:         http.StatusBadRequest,
	connect.CodeFailedPrecondition: http.StatusBadRequest,
	connect.CodeUnauthenticated:    http.StatusUnauthorized,
	connect.CodePermissionDenied:   http.StatusForbidden,
	connect.CodeNotFound:           http.StatusNotFound,
	connect.CodeUnimplemented:      http.StatusNotFound,
	connect.CodeAlreadyExists:      http.StatusConflict,
	connect.CodeAborted:            http.StatusConflict,
	connect.CodeResourceExhausted:  http.StatusTooManyRequests,
	connect.CodeUnavailable:        http.StatusServiceUnavailable,
	connect.CodeDeadlineExceeded:   http.StatusGatewayTimeout,
	connect.CodeCanceled:           statusCanceled,
}

// Write answers an HTTP request with an error, under the status of its code.
func (a Answerer) Write(w http.ResponseWriter, r *http.Request, err error) {
	told := a.Answer(r.Context(), err)
	code, ok := statuses[told.Code()]
	if !ok {
		code = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(JSON(told))
}

// JSON is an error as REST shows it: a bare google.rpc.Status.
func JSON(told *connect.Error) []byte {
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
