package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// send sends an HTTP request.
func (i *instance) send(request *http.Request) *http.Response {
	i.t.Helper()
	response, err := i.http1.RoundTrip(request)
	if err != nil {
		i.t.Fatal(err)
	}
	return response
}

// exchange sends an HTTP request and reads all that comes back.
func (i *instance) exchange(request *http.Request) (*http.Response, []byte) {
	i.t.Helper()
	response := i.send(request)
	return response, readAll(i.t, response)
}

func readAll(t testing.TB, response *http.Response) []byte {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post is a bare POST, as curl would send it.
func (i *instance) post(path, contentType string, body io.Reader, header http.Header) *http.Request {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.url()+path, body)
	if err != nil {
		i.t.Fatal(err)
	}
	request.Header = header.Clone()
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return request
}

// sendBody is a bare request with a body in JSON.
func (i *instance) sendBody(verb, path string, body []byte, header http.Header) *http.Request {
	i.t.Helper()
	request := i.post(path, "application/json", bytes.NewReader(body), header)
	request.Method = verb
	return request
}

// get is a bare GET of a path with its query.
func (i *instance) get(path string, header http.Header) *http.Request {
	i.t.Helper()
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, i.url()+path, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	request.Header = header.Clone()
	return request
}

// curl calls a method with bare Connect JSON: no header says that it is Connect.
func curl(i *instance, c call) answer {
	i.t.Helper()
	body := c.raw
	if body == nil {
		body = mustJSON(i.t, c.request)
	}
	return i.curl(i.post(methods[c.method].procedure, "application/json", bytes.NewReader(body), c.header), c.method)
}

// curl is the Connect answer to an HTTP request.
func (i *instance) curl(request *http.Request, method string) answer {
	i.t.Helper()
	a := connectAnswer(i, i.send(request))
	if a.status == nil {
		a.response = methods[method].newResponse()
		i.parse(a.body, a.response)
	}
	return a
}

// connectAnswer reads an answer of Connect's.
func connectAnswer(i *instance, response *http.Response) answer {
	i.t.Helper()
	a := newAnswer(response, readAll(i.t, response))
	if response.StatusCode != http.StatusOK {
		a.status = connectStatus(i.t, a.body)
	}
	return a
}

func (i *instance) parse(body []byte, into proto.Message) {
	i.t.Helper()
	if err := protojson.Unmarshal(body, into); err != nil {
		i.t.Fatalf("%v: %s", err, body)
	}
}

// connectStatus reads an error in Connect's JSON.
func connectStatus(t testing.TB, body []byte) *status.Status {
	t.Helper()
	var told struct {
		Code    connect.Code `json:"code"`
		Message string       `json:"message"`
		Details []struct {
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"details"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatalf("no Connect error: %v: %s", err, body)
	}
	found := &status.Status{Code: int32(told.Code), Message: told.Message}
	for _, detail := range told.Details {
		value, err := base64.RawStdEncoding.DecodeString(detail.Value)
		if err != nil {
			t.Fatal(err)
		}
		found.Details = append(found.Details, &anypb.Any{TypeUrl: "type.googleapis.com/" + detail.Type, Value: value})
	}
	return found
}

// rest calls a method by its REST path.
func rest(i *instance, c call) answer {
	i.t.Helper()
	m := methods[c.method]
	if c.raw != nil {
		return i.rest(i.sendBody(m.verb, m.path, c.raw, c.header), c.method)
	}
	var fields map[string]any
	if err := json.Unmarshal(mustJSON(i.t, c.request), &fields); err != nil {
		i.t.Fatal(err)
	}
	path := m.path
	if id, ok := fields["id"].(string); ok && strings.Contains(path, "{id}") {
		path = strings.ReplaceAll(path, "{id}", url.PathEscape(id))
		delete(fields, "id")
	}
	if m.read() {
		return i.rest(i.get(path+"?"+query(fields).Encode(), c.header), c.method)
	}
	body, err := json.Marshal(fields)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.rest(i.sendBody(m.verb, path, body, c.header), c.method)
}

// rest is the REST answer to an HTTP request.
func (i *instance) rest(request *http.Request, method string) answer {
	i.t.Helper()
	a := restAnswer(i, i.send(request))
	if a.status == nil {
		a.response = methods[method].newResponse()
		i.parse(a.body, a.response)
	}
	return a
}

// restAnswer reads an answer of REST's.
func restAnswer(i *instance, response *http.Response) answer {
	i.t.Helper()
	a := newAnswer(response, readAll(i.t, response))
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		i.t.Errorf("Content-Type is %q", got)
	}
	if response.StatusCode != http.StatusOK {
		a.status = &status.Status{}
		i.parse(a.body, a.status)
	}
	return a
}

func query(fields map[string]any) url.Values {
	values := url.Values{}
	for name, value := range fields {
		all, ok := value.([]any)
		if !ok {
			all = []any{value}
		}
		for _, one := range all {
			values.Add(name, fmt.Sprint(one))
		}
	}
	return values
}

func mustJSON(t testing.TB, message proto.Message) []byte {
	t.Helper()
	body, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func newAnswer(response *http.Response, body []byte) answer {
	a := answer{http: response.StatusCode, header: response.Header.Clone(), body: body, text: string(body)}
	for name, values := range response.Trailer {
		a.header[name] = append(a.header[name], values...)
	}
	a.text += fmt.Sprint(a.header)
	return a
}

// recorder keeps the last exchange of a client that shows less than it got.
type recorder struct {
	next     http.RoundTripper
	verb     string
	response *http.Response
	body     bytes.Buffer
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.verb = request.Method
	response, err := r.next.RoundTrip(request)
	if err == nil {
		r.response = response
		response.Body = tee{io.TeeReader(response.Body, &r.body), response.Body}
	}
	return response, err
}

func (r *recorder) answer(t testing.TB, err error) answer {
	t.Helper()
	if r.response == nil {
		t.Fatal(errors.Join(errors.New("no answer"), err))
	}
	return newAnswer(r.response, r.body.Bytes())
}

type tee struct {
	io.Reader
	io.Closer
}
