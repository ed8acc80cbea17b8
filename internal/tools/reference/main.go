// Command reference makes internal/reference/openapi.yaml: it merges what the plugin
// makes of the protos, for REST and for Connect, and adds what the plugin does not
// know: the errors with their reasons, headers, credentials, the rules written in CEL.
// It is run at the root of the repository by internal/tools/generate.sh.
package main

import (
	"bytes"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

const (
	restFile    = "internal/tools/openapi/rest.yaml"
	connectFile = "internal/tools/openapi/connect.yaml"
	errorsPage  = "docs/errors.md"
	target      = "internal/reference/openapi.yaml"
	note        = "# Made by internal/tools/generate.sh of proto/ and docs/errors.md: do not edit.\n"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run() error {
	rest, err := read(restFile)
	if err != nil {
		return err
	}
	connect, err := read(connectFile)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(errorsPage)
	if err != nil {
		return err
	}
	reasons, err := readReasons(string(page))
	if err != nil {
		return err
	}
	made, err := document(rest, connect, reasons)
	if err != nil {
		return err
	}
	return write(made)
}

func read(path string) (node, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return node{}, err
	}
	return parse(content)
}

func parse(content []byte) (node, error) {
	var whole yaml.Node
	if err := yaml.Unmarshal(content, &whole); err != nil {
		return node{}, fmt.Errorf("parse: %w", err)
	}
	return node{whole.Content[0]}, nil
}

func write(document node) error {
	out := bytes.NewBufferString(note)
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(document.Node); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return os.WriteFile(target, out.Bytes(), 0o600)
}
