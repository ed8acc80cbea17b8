package app

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// answer is what came of a call, whatever the door.
type answer struct {
	// response is nil for an error, status for a success.
	response proto.Message
	status   *status.Status
	// verb and http are the method and status of HTTP, empty where a client
	// hides them.
	verb string
	http int
	// header holds the headers and, from gRPC, the trailers.
	header http.Header
	body   []byte
	// text is all that a caller can read, for what must not be in it.
	text string
}

func (a answer) code() code.Code { return code.Code(a.status.GetCode()) }

// detail finds a detail of an error, nil where there is none.
func detail[D proto.Message](a answer) (found D) {
	for _, packed := range a.status.GetDetails() {
		if value, err := packed.UnmarshalNew(); err == nil {
			if wanted, ok := value.(D); ok {
				return wanted
			}
		}
	}
	return found
}

// reason is empty unless the error is of the domain.
func (a answer) reason() string {
	if info := detail[*errdetails.ErrorInfo](a); info.GetDomain() == "bookings" {
		return info.GetReason()
	}
	return ""
}

// fields are the names of the fields at fault, sorted.
func (a answer) fields() []string {
	var names []string
	for _, violation := range detail[*errdetails.BadRequest](a).GetFieldViolations() {
		names = append(names, violation.GetField())
	}
	slices.Sort(names)
	return names
}

// verdict is an error in a line: code, reason and fields; OK for a success.
func (a answer) verdict() string {
	if a.status == nil {
		return "OK"
	}
	verdict := a.code().String() + " " + a.reason()
	if fields := a.fields(); len(fields) > 0 {
		verdict += " " + strings.Join(fields, ",")
	}
	return verdict
}

var (
	// forbidden is how libraries and the database speak.
	forbidden = regexp.MustCompile(`(?i)\bpq\b|sqlstate|pgx|proto:|protobuf|unmarshal|vanguard|connectrpc|goroutine|\.go:|constraint|bookings_|syntax|json:|gzip:|http2?:`)
	// packed are details in base64, which are read unpacked.
	packed = regexp.MustCompile(`[A-Za-z0-9+/=]{24,}`)
)

// checkTold fails the test where an error says what no caller should read.
func (a answer) checkTold(t testing.TB) {
	t.Helper()
	if a.status == nil {
		return
	}
	if a.http == http.StatusInternalServerError {
		t.Errorf("HTTP status %d", a.http)
	}
	read := packed.ReplaceAllString(a.text, "") + prototext.Format(a.status)
	read = strings.ReplaceAll(read, "type.googleapis.com/google.protobuf", "")
	if leak := forbidden.FindString(read); leak != "" {
		t.Errorf("%q is in an answer:\n%s", leak, read)
	}
}

func (a answer) String() string {
	return fmt.Sprintf("%s (HTTP %d): %s", a.verdict(), a.http, a.status.GetMessage())
}
