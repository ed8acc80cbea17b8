package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// document is a document of the reference as a server serves it. Its schemas are JSON
// Schema, so that a validator of that is all it takes to hold answers against it.
type document struct {
	t        testing.TB
	root     map[string]any
	compiler *jsonschema.Compiler

	mu sync.Mutex
	// seen are the reasons that were answered, by operation.
	seen map[string]bool
}

const documentURL = "http://reference/document"

// readDocument reads one at its path, tightened.
func readDocument(t testing.TB, i *instance, path string, tighten func(map[string]any)) *document {
	t.Helper()
	response, body := i.exchange(i.get(path, http.Header{}))
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, response.Status)
	}
	d := &document{t: t, compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	if err := yaml.Unmarshal(body, &d.root); err != nil {
		t.Fatal(err)
	}
	tighten(d.root)
	plain, err := json.Marshal(d.root)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(plain)))
	if err != nil {
		t.Fatal(err)
	}
	d.compiler.AssertFormat()
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := d.compiler.AddResource(documentURL, parsed); err != nil {
		t.Fatal(err)
	}
	return d
}

// closeMessages forbids members that the document does not name. It allows them, as
// later versions may add some; what this version sends has to be there.
func closeMessages(root map[string]any) { closeAll(root) }

func closeAll(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			closeAll(member)
		}
		_, open := value["additionalProperties"]
		if _, object := value["properties"].(map[string]any); object && value["type"] == "object" && !open {
			value["additionalProperties"] = false
		}
	case []any:
		for _, member := range value {
			closeAll(member)
		}
	}
}

// at is the value at a place of the document, nil where there is none.
func (d *document) at(place ...string) any {
	var value any = d.root
	for _, name := range place {
		members, _ := value.(map[string]any)
		value = members[name]
		if reference, ok := referenceOf(value); ok {
			value = d.at(strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
		}
	}
	return value
}

// validate holds JSON against the schema at a place.
func (d *document) validate(about string, body []byte, place ...string) {
	d.t.Helper()
	var pointer strings.Builder
	for _, name := range place {
		pointer.WriteString("/" + url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")))
	}
	d.mu.Lock()
	schema, err := d.compiler.Compile(documentURL + "#" + pointer.String())
	d.mu.Unlock()
	if err != nil {
		d.t.Errorf("%s: %v", about, err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		d.t.Errorf("%s: %v\n%s", about, err, body)
	}
}

// operation is where the document has a method of a door.
func operation(door, name string) []string {
	m := methods[name]
	if door == "REST" {
		return []string{"paths", m.path, strings.ToLower(m.verb)}
	}
	return []string{"paths", m.procedure, "post"}
}

// check holds an answer against what the document says of the method.
func (d *document) check(door, name string, a answer) {
	d.t.Helper()
	about := fmt.Sprint(door, " ", name, " ", a.http, " ", a.reason())
	place := append(operation(door, name), "responses", strconv.Itoa(a.http))
	told, _ := d.at(place...).(map[string]any)
	if told == nil {
		d.t.Errorf("%s: no such status is there: %s", about, a.body)
		return
	}
	d.validate(about, a.body, append(place, "content", "application/json", "schema")...)
	for header := range told["headers"].(map[string]any) {
		optional := strings.HasPrefix(header, "RateLimit-") || header == "Idempotent-Replayed" || header == "Retry-After" && a.reason() != "RATE_LIMITED"
		if a.header.Get(header) == "" && !optional {
			d.t.Errorf("%s: no %s", about, header)
		}
	}
	if a.status == nil {
		return
	}
	examples, _ := d.at(append(place, "content", "application/json", "examples")...).(map[string]any)
	if examples[a.reason()] == nil {
		d.t.Errorf("%s: no such reason is there", about)
	}
	d.mu.Lock()
	d.seen[door+" "+name+" "+a.reason()] = true
	d.mu.Unlock()
}

// checkRequest holds a request that was taken against the document.
func (d *document) checkRequest(door, name string, body []byte) {
	d.t.Helper()
	content := slices.Concat(operation(door, name), []string{"requestBody", "content", "application/json", "schema"})
	if d.at(content...) == nil {
		return // it is in the query
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		d.t.Fatal(err)
	}
	if door == "REST" && strings.Contains(methods[name].path, "{id}") {
		delete(fields, "id")
	}
	sent, _ := json.Marshal(fields)
	d.validate(door+" "+name+", the request", sent, content...)
}

// unseen are the reasons that the document has and nobody was answered.
func (d *document) unseen() (unseen []string) {
	for name := range methods {
		for _, door := range []string{"REST", "Connect"} {
			answers, _ := d.at(append(operation(door, name), "responses")...).(map[string]any)
			for status := range answers {
				examples, _ := d.at(append(operation(door, name), "responses", status, "content", "application/json", "examples")...).(map[string]any)
				for reason := range maps.Keys(examples) {
					if line := door + " " + name + " " + reason; !d.seen[line] {
						unseen = append(unseen, line)
					}
				}
			}
		}
	}
	slices.Sort(unseen)
	return unseen
}

func referenceOf(value any) (string, bool) {
	members, _ := value.(map[string]any)
	reference, ok := members["$ref"].(string)
	return reference, ok
}
