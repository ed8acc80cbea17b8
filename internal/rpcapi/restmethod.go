package rpcapi

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"bookings/internal/apierror"
	"bookings/internal/booking"
	"bookings/internal/middleware"
)

// restMethod is one method's place on REST.
type restMethod struct {
	*rest
	procedure string
	request   protoreflect.MessageType
	// variables are the fields that stand in the path.
	variables []protoreflect.FieldDescriptor
	// hasBody tells that the body is the request; else the query is.
	hasBody bool
	// method is func(context.Context, *Request) (*Response, error), as connect's
	// simple handlers are. Reflection spares a table that would repeat the proto.
	method reflect.Value
}

// ServeHTTP implements http.Handler. What cannot be read as text at all, and a
// body in a wrong form, is refused before the gate, as connect does it.
func (m *restMethod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case r.ContentLength != 0 && !isJSON(r), !isReadable(r):
		refuseUnder(m.Responder, w, r, http.StatusUnsupportedMediaType, errMedia)
		return
	case err != nil, !utf8.ValidString(r.URL.Path), !isText(query):
		m.WriteStatus(w, r, booking.Errorf(booking.ReasonValidationFailed, "the request cannot be read"))
		return
	}
	response, err := m.call(r, query)
	switch {
	case booking.IsReason(err, apierror.ReasonTooLarge):
		refuseUnder(m.Responder, w, r, http.StatusRequestEntityTooLarge, err)
	case err != nil:
		m.WriteStatus(w, r, err)
	default:
		m.write(w, r, response)
	}
}

// call is the way of a call: the gate, the request, the method. They are the same
// steps in the same order as connect's interceptor takes, without connect: a
// second server in between would decode and encode everything once more.
func (m *restMethod) call(r *http.Request, query url.Values) (response proto.Message, err error) {
	if r.ContentLength > middleware.MaxBody { // nobody has to read it
		return nil, errTooLarge
	}
	ctx, err := m.admit(r.Context(), m.procedure, r.Header, middleware.DoorHTTP)
	if err != nil {
		return nil, err
	}
	err = m.run(ctx, func(ctx context.Context) error {
		request, err := m.decode(r, query)
		if err != nil {
			return err
		}
		if err := mergeIfMatch(r.Header, request); err != nil {
			return err
		}
		if err := m.accept(r.Header, request); err != nil {
			return err
		}
		results := m.method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(request)})
		response, _ = reflect.TypeAssert[proto.Message](results[0])
		err, _ = reflect.TypeAssert[error](results[1])
		return err
	})
	return response, err
}

// decode makes the method's request of the query or the body. What the path says
// comes last and counts: it is what proxies and logs have seen.
func (m *restMethod) decode(r *http.Request, query url.Values) (proto.Message, error) {
	object, err := m.object(r, query)
	if err != nil {
		return nil, err
	}
	request := m.request.New()
	if err := decodeJSON(object, request.Interface()); err != nil {
		return nil, err
	}
	for _, field := range m.variables {
		request.Set(field, protoreflect.ValueOfString(r.PathValue(string(field.Name()))))
	}
	return request.Interface(), nil
}

// object is the request as one JSON object. A query beside a body has its faults
// told all the same.
func (m *restMethod) object(r *http.Request, query url.Values) ([]byte, error) {
	object, err := m.queryObject(query)
	switch {
	case err != nil:
		return nil, err
	case m.hasBody:
		return readBody(r)
	case r.ContentLength != 0:
		return nil, booking.Invalid("body", "must be empty: the query says what is asked for")
	}
	return object, nil
}

// buffers hold answers while they are written. A list's grows to many kilobytes,
// and growing it anew for each call took a tenth of the call.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// write encodes before it says that the answer is ours: what cannot be encoded
// must still become an error with a status of its own.
func (m *restMethod) write(w http.ResponseWriter, r *http.Request, response proto.Message) {
	buffer, _ := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	body, err := encodeJSON((*buffer)[:0], response)
	if err != nil {
		m.WriteStatus(w, r, err)
		return
	}
	*buffer = body
	middleware.From(r.Context()).MarkAnswered("ok")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// isJSON takes every spelling of the media type (RFC 9110, section 8.3.1): case
// and quotes do not matter, and UTF-8 is the only charset that JSON has (RFC 8259).
func isJSON(r *http.Request) bool {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := parameters["charset"]
	return err == nil && media == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// isText reports whether a query is UTF-8.
func isText(query url.Values) bool {
	for name, values := range query {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(value string) bool { return !utf8.ValidString(value) }) {
			return false
		}
	}
	return true
}
