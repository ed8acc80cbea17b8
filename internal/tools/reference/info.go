package main

import "strings"

const welcome = `One server, the same methods through two doors of HTTP: **REST** (` + "`GET /v1/bookings`" + `) and
**Connect** (` + "`POST /bookings.v1.BookingService/ListBookings`" + `, the message as JSON). Internal services
call the same by gRPC, and ` + "`/ws`" + ` brings what happens live: [its reference](asyncapi.yaml).

* People send a JWT, ` + "`Authorization: Bearer …`" + `; ` + "`bookings dev`" + ` prints two to try. Set one under Authentication, and each method below can be tried here.
* A user has 60 requests a minute unless configured otherwise; ` + "`RateLimit-Remaining`" + ` tells what is left.
* Every error has a ` + "`reason`" + ` to decide by. Each method lists its own, with what to do then.
* What you do not know in an answer, pass over: later versions may add fields. What the server does not know in a request, it refuses.
* Each answer has an ` + "`X-Request-Id`" + `; send your own to follow a call through your systems.

`

// info says first what the comments of the services say of all their methods.
func info(connect node) map[string]any {
	var description strings.Builder
	description.WriteString(welcome)
	for _, tag := range connect.get("tags").Content {
		name := node{tag}.text("name")
		description.WriteString("# " + name[strings.LastIndexByte(name, '.')+1:] + "\n\n" + prose(node{tag}.text("description")) + "\n\n")
	}
	return map[string]any{
		"title": "Bookings", "version": "v1", "description": description.String(),
	}
}

var tags = []map[string]string{
	{"name": restDoor, "description": "Resources by paths. A body is JSON; errors are a `google.rpc.Status`."},
	{"name": connectDoor, "description": "Methods by their names, each a POST of its message in JSON; errors are Connect's. " +
		"Generated clients speak it, and a bare `curl` does."},
}

var securitySchemes = map[string]any{
	"bearer": map[string]string{
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
		"description": "For people: a JWT with `sub`, `role` (`customer` or `provider`) and `exp`.",
	},
	"internal": map[string]string{
		"type": "apiKey", "in": "header", "name": "x-internal-token",
		"description": "For internal services: at INTERNAL_ADDR where there is such a listener, else by gRPC alone. Elsewhere it is ignored.",
	},
}
