package app

import (
	"context"
	wire "encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	bookingsv1 "bookings/gen/bookings/v1"
	"bookings/internal/booking"
)

// frames are the types of frames that were sent and held against the document.
type frames map[string]bool

// check holds a frame against the schema of its type.
func (f frames) check(d *document, frame []byte) {
	d.t.Helper()
	var read struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(frame, &read); err != nil {
		d.t.Fatal(err)
	}
	f[read.Type] = true
	if d.at("channels", "feed", "messages", read.Type) == nil {
		d.t.Errorf("%s is not among the channel's messages", read.Type)
	}
	d.validate(read.Type, frame, "components", "messages", read.Type, "payload")
}

// closeFrames forbids members that the document does not name. Its schemas are put
// together by allOf, of which no part knows all members.
func closeFrames(root map[string]any) {
	schemas, _ := root["components"].(map[string]any)["schemas"].(map[string]any)
	for _, schema := range schemas {
		frame, _ := schema.(map[string]any)
		if parts, _ := frame["allOf"].([]any); len(parts) == 2 {
			properties, _ := parts[1].(map[string]any)["properties"].(map[string]any)
			if data, ok := properties["data"].(map[string]any); ok {
				frame["unevaluatedProperties"], data["unevaluatedProperties"] = false, false
			}
		}
	}
}

func TestEachFrameIsAsTheReferenceSays(t *testing.T) {
	t.Parallel()
	i := start(t, withDocs)
	d, seen := readDocument(t, i, "/asyncapi.yaml", closeFrames), frames{}
	conn, _, err := websocket.Dial(t.Context(), i.url()+"/ws?after=0", &websocket.DialOptions{HTTPHeader: i.as(booking.RoleProvider, "paul")})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	(&story{instance: i, door: doors[0], begun: time.Now().UTC().Truncate(time.Hour)}).tell()
	curl(i, call{method: "CreateBooking", header: i.as(booking.RoleProvider, "paul"), request: &bookingsv1.CreateBookingRequest{
		CustomerId: "cara", StartTime: stamp(time.Now().Add(5 * time.Minute)), EndTime: stamp(time.Now().Add(time.Hour)), // reminded at once
	}})
	for _, frame := range []string{`{"type":"ping"}`, `{"type":"authenticate","token":"` + i.token(booking.RoleProvider, "paul") + `"}`} {
		seen.check(d, []byte(frame))
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"authenticate","token":"x"}`)); err != nil {
		t.Fatal(err)
	}
	messages, _ := d.at("components", "messages").(map[string]any)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(seen) < len(messages) {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			t.Fatalf("%v; only these came: %v", err, seen)
		}
		seen.check(d, frame)
	}
}

// The codes that the server closes with are those of docs/streams.md, and the document
// explains each of them.
func TestTheReferenceHasEachCloseCode(t *testing.T) {
	t.Parallel()
	d := readDocument(t, bareDocs(t), "/asyncapi.yaml", closeFrames)
	codes, _ := d.at("channels", "feed", "x-close-codes").(map[string]any)
	page := string(readAllOf(t, "../../docs/streams.md"))
	_, table, _ := strings.Cut(page, "| close code |")
	table, _, _ = strings.Cut(table, "\n\n")
	for code := range codes {
		if code != "1006" && !strings.Contains(table, code) {
			t.Errorf("docs/streams.md does not know %s", code)
		}
	}
	for _, word := range strings.FieldsFunc(table, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) == 4 && codes[word] == nil {
			t.Errorf("the reference does not know %s", word)
		}
	}
}

// envelope is a message of Connect's streams.
type envelope struct {
	last bool
	body []byte
}

func (i *instance) stream(header http.Header, request string, most int) (read []envelope) {
	i.t.Helper()
	body := strings.NewReader(framed(0, len(request), request))
	response := i.send(i.post(eventService+"StreamEvents", "application/connect+json", body, header))
	defer response.Body.Close()
	for len(read) < most {
		var head [5]byte
		if _, err := io.ReadFull(response.Body, head[:]); err != nil {
			i.t.Fatal(err)
		}
		body := make([]byte, wire.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(response.Body, body); err != nil {
			i.t.Fatal(err)
		}
		read = append(read, envelope{last: head[0]&2 != 0, body: body})
		if head[0]&2 != 0 {
			break
		}
	}
	return read
}

func TestEachMessageOfAStreamIsAsTheReferenceSays(t *testing.T) {
	t.Parallel()
	i := start(t, withDocs)
	d := readDocument(t, i, "/openapi.yaml", closeMessages)
	(&story{instance: i, door: doors[0], begun: time.Now().UTC().Truncate(time.Hour)}).tell()
	paul := i.as(booking.RoleProvider, "paul")
	answer := []string{"paths", eventService + "StreamEvents", "post", "responses", "200"}
	d.validate("the request", []byte(`{"afterSequence": "0"}`), "paths", eventService+"StreamEvents", "post", "requestBody", "content", "application/connect+json", "schema")
	for _, message := range i.stream(paul, `{"afterSequence": "0"}`, 10) {
		d.validate("StreamEvents", message.body, slices.Concat(answer, []string{"content", "application/connect+json", "schema"})...)
	}
	for reason, refused := range map[string][]envelope{
		"SEQUENCE_OUT_OF_RANGE": i.stream(paul, `{"afterSequence": "9999"}`, 10),
		"TOKEN_MISSING":         i.stream(http.Header{}, `{}`, 10),
		"NOT_ALLOWED":           i.stream(paul, `{"role": "ROLE_PROVIDER", "userId": "eve"}`, 10),
		"VALIDATION_FAILED":     i.stream(paul, `{"afterSequence": "-1"}`, 10),
	} {
		var end struct{ Error json.RawMessage }
		message := refused[len(refused)-1]
		if err := json.Unmarshal(message.body, &end); err != nil || !message.last {
			t.Fatalf("%s: %v: %s", reason, err, message.body)
		}
		d.validate(reason, end.Error, "components", "schemas", "connect.Error")
		if about, _ := d.at(append(answer, "description")...).(string); !strings.Contains(about, reason) {
			t.Errorf("%s is not there", reason)
		}
	}
}
