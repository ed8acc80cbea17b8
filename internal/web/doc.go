// Package web is the page at /, in which two people, the customer and the
// provider, book side by side. It is a client like any other: it calls what everybody
// may call. All of it is in the program; the page asks no other host for anything.
package web
