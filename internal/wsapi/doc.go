// Package wsapi is the door for notifications: a WebSocket that carries one
// feed, as CloudEvents in JSON. It knows the protocol of /ws and nothing of
// bookings; what comes when is the feed subscription's business. A socket asks one
// thing of its reader: that each frame leaves within 5 seconds.
package wsapi
