package main

import (
	"go.yaml.in/yaml/v3"
)

// node is a mapping of a document, whose members stay in their order.
type node struct{ *yaml.Node }

func mapping() node { return node{&yaml.Node{Kind: yaml.MappingNode}} }

// get is a member, an empty mapping that is nowhere if there is none.
func (n node) get(names ...string) node {
	for _, name := range names {
		found := mapping()
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				found = node{n.Content[i+1]}
			}
		}
		n = found
	}
	return n
}

// has tells whether there is a member.
func (n node) has(name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

// text is a member's text, empty where there is none.
func (n node) text(name string) string { return n.get(name).Value }

// put sets a member to any value.
func (n node) put(name string, value any) {
	set := encode(value)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content[i+1] = set
			return
		}
	}
	n.Content = append(n.Content, encode(name), set)
}

// drop removes a member.
func (n node) drop(name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
	}
}

// each goes through the members.
func (n node) each(visit func(name string, member node)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		visit(n.Content[i].Value, node{n.Content[i+1]})
	}
}

// walk goes through all mappings, this one included.
func (n node) walk(visit func(node)) {
	if n.Kind == yaml.MappingNode {
		visit(n)
	}
	for _, child := range n.Content {
		node{child}.walk(visit)
	}
}

// encode panics on what no value here can be.
func encode(value any) *yaml.Node {
	switch value := value.(type) {
	case node:
		return value.Node
	case *yaml.Node:
		return value
	}
	made := &yaml.Node{}
	if err := made.Encode(value); err != nil {
		panic(err)
	}
	return made
}
