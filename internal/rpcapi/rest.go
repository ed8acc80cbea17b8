package rpcapi

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"bookings/internal/apierror"
	"bookings/internal/middleware"
)

// rest is the door for REST: the methods that connect serves, at the paths that
// the proto names (google.api.http). A request becomes one JSON object, which is
// decoded, checked and answered as Connect's JSON is.
type rest struct {
	*door
	mux *http.ServeMux
}

// addService adds the paths of a service, which implementation implements.
func (h *rest) addService(service protoreflect.ServiceDescriptor, implementation any) error {
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		if method.IsStreamingServer() {
			continue // REST has no way to say one
		}
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		if err := h.addMethod(method, rule, implementation); err != nil {
			return fmt.Errorf("the REST path of %s: %w", method.FullName(), err)
		}
	}
	return nil
}

// addMethod refuses what it could not serve as the proto says, so that a mistake
// in an annotation shows at the start and not at a call.
func (h *rest) addMethod(method protoreflect.MethodDescriptor, rule *annotations.HttpRule, implementation any) error {
	var verb, path string
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		verb, path = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Post:
		verb, path = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Patch:
		verb, path = http.MethodPatch, pattern.Patch
	default:
		return fmt.Errorf("%v is not supported", rule)
	}
	variables, err := variablesOf(path, method.Input())
	if err != nil {
		return err
	}
	hasBody := rule.GetBody() == "*"
	if hasBody != (verb != http.MethodGet) || len(rule.GetAdditionalBindings()) > 0 || rule.GetResponseBody() != "" {
		return fmt.Errorf("%v is not supported", rule)
	}
	request, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return fmt.Errorf("find its request: %w", err)
	}
	h.mux.Handle(verb+" "+splitCustomVerb(path), &restMethod{
		rest: h, request: request, hasBody: hasBody,
		procedure: fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name()),
		variables: variables,
		method:    reflect.ValueOf(implementation).MethodByName(string(method.Name())),
	})
	return nil
}

// splitCustomVerb makes a segment of its own of a custom verb (AIP-136), which is
// what follows the last ':' of a path: so http.ServeMux can tell it from an id.
func splitCustomVerb(path string) string {
	if colon := strings.LastIndexByte(path, ':'); colon > strings.LastIndexByte(path, '/') {
		return path[:colon] + "/" + path[colon:]
	}
	return path
}

var pathVariable = regexp.MustCompile(`\{(\w+)\}`)

// variablesOf are the fields that a path has as variables. They must be text, and
// stand for one segment each.
func variablesOf(path string, request protoreflect.MessageDescriptor) (fields []protoreflect.FieldDescriptor, err error) {
	matches := pathVariable.FindAllStringSubmatch(path, -1)
	for _, match := range matches {
		field := request.Fields().ByName(protoreflect.Name(match[1]))
		if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
			return nil, fmt.Errorf("{%s} is no text field of the request", match[1])
		}
		fields = append(fields, field)
	}
	if strings.Count(path, "{") != len(matches) {
		return nil, fmt.Errorf("%s has a variable that is more than a name", path)
	}
	return fields, nil
}

// ServeHTTP implements http.Handler. Paths and verbs that are not there are
// refused by the mux, and said in our words. The request that came stays as it
// is: the mux gets a copy with a path of its own, whose body and context are the
// same.
func (h *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	split := *r.URL
	split.Path = splitCustomVerb(r.URL.Path)
	// The mux would take an id of two dots for the folder above.
	split.RawPath = strings.ReplaceAll(splitCustomVerb(r.URL.EscapedPath()), ".", "%2E")
	inner := *r
	inner.URL = &split
	answer := middleware.Wrap(w, r)
	refusal := answer.Capture(func() { h.mux.ServeHTTP(answer, &inner) })
	if refusal == nil {
		return
	}
	dropLibraryHeaders(w.Header())
	if refusal.Status == http.StatusMethodNotAllowed {
		refuseUnder(h.Responder, answer, r, refusal.Status, errVerb)
		return
	}
	Missing{h.Responder}.ServeHTTP(answer, r)
}

// refuseUnder answers under an HTTP status that the error's code does not have.
func refuseUnder(responder apierror.Responder, w http.ResponseWriter, r *http.Request, status int, err error) {
	answer := middleware.Wrap(w, r)
	answer.ForceStatus(status)
	responder.WriteStatus(answer, r, err)
}
