package bookings

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectrpc.com/connect"

	"bookings/gen/bookings/v1/bookingsv1connect"
)

// Options say where the server is and who calls. URL alone is required.
type Options struct {
	// URL is the server's, such as https://api.example.com.
	URL string
	// Token gives a user's tokens: a StaticToken, or a function of yours.
	Token TokenSource
	// InternalToken is that of an internal service; a client has this or Token.
	InternalToken string
	// HTTPClient speaks HTTP/2, as gRPC does. nil: one with Transport. TLS is its affair.
	HTTPClient *http.Client
	// Tries is how often a call is made at most; 0: 4 times, 1: it is never repeated.
	Tries int
}

// Client calls the server by gRPC: it has all methods of BookingService and
// EventService. It may be used by many goroutines at once.
type Client struct {
	bookingsv1connect.BookingServiceClient
	bookingsv1connect.EventServiceClient

	own *http.Client // made by New; nil: the caller's
}

// New makes a client. It connects with the first call.
func New(options Options) (*Client, error) {
	address, err := url.Parse(options.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, fmt.Errorf("bookings: %q is no address such as https://api.example.com", options.URL)
	}
	who, err := newCredentials(options)
	if err != nil {
		return nil, err
	}
	c := new(Client)
	client := options.HTTPClient
	if client == nil {
		c.own = &http.Client{Transport: Transport()}
		client = c.own
	}
	root := strings.TrimSuffix(options.URL, "/")
	// The outermost comes first: each try asks for a token, and may ask for another.
	chain := connect.WithInterceptors(newRetries(options.Tries), who)
	c.BookingServiceClient = bookingsv1connect.NewBookingServiceClient(client, root, connect.WithGRPC(), chain)
	c.EventServiceClient = bookingsv1connect.NewEventServiceClient(client, root, connect.WithGRPC(), chain)
	return c, nil
}

// Close closes the connections that nobody uses any more. Those of an HTTPClient that
// was given are its owner's.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Transport speaks HTTP/2, with and without TLS. It asks a server that is silent whether
// it is still there: a line that is cut without a word looks like a quiet one. Set its
// TLSClientConfig for an authority or a certificate of your own, its Proxy for one.
func Transport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	alive := &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
	return &http.Transport{Protocols: &protocols, HTTP2: alive}
}
