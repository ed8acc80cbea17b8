// Package reference is what there is to read about the API beside it: the page
// at /docs, and the documents behind it, OpenAPI for calls and AsyncAPI for /ws.
// All of it is in the program; the page asks no other host for anything.
package reference
