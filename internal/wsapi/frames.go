package wsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/feed"
)

// ready is the data of stream.ready.
type ready struct {
	// Sequence is the feed's head, spelled as in envelopes.
	Sequence string `json:"sequence"`
	// ID is that entry's, for after_id; empty for number 0.
	ID string `json:"id"`
	// Resumed tells that the socket goes on after the number asked for.
	Resumed   bool   `json:"resumed"`
	ExpiresAt string `json:"expiresAt"`
	// PingInterval is in seconds.
	PingInterval int `json:"pingInterval"`
}

// failure is the data of stream.error.
type failure struct {
	Reason  booking.Reason `json:"reason"`
	Message string         `json:"message"`
}

// ready tells the socket's terms. head is the feed's newest entry: at first the
// one that a live socket goes on after.
func (s *session) ready(head feed.Point) feed.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frame("stream.ready", ready{
		Sequence:     feed.Sequence(head.Sequence),
		ID:           head.ID,
		Resumed:      s.subscription.Resumed,
		ExpiresAt:    s.caller.Expires.UTC().Format(time.RFC3339Nano),
		PingInterval: int(s.timing.ping.Seconds()),
	})
}

// frame is an envelope about the socket itself: without subject or sequence.
func (s *session) frame(kind string, data any) feed.Envelope {
	return feed.Envelope{
		SpecVersion:     feed.SpecVersion,
		ID:              uuid.Must(uuid.NewV7()).String(),
		Source:          s.subscription.Key().Source(),
		Type:            kind,
		Time:            time.Now().UTC().Format(time.RFC3339Nano),
		DataContentType: feed.DataContentType,
		Data:            data,
	}
}

func (s *session) send(envelope feed.Envelope) error {
	frame, err := json.Marshal(envelope)
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	return s.write(appendFrame(nil, opText, frame))
}

// listen is the goroutine of a socket at rest.
func (s *session) listen() {
	s.wire.wait()
	go s.read()
}

// read is the reading goroutine: it answers the client's frames until there is
// none, or the socket ends.
func (s *session) read() {
	for {
		message, err := s.next()
		var refusal closeError
		switch {
		case errors.Is(err, errQuiet):
			go s.listen()
			return
		case errors.As(err, &refusal):
			s.endFor(refusal)
			return
		case err != nil:
			// The peer has gone or said goodbye, or broke the protocol. The library
			// tells of neither, and closing is right in each case.
			s.hangUp(err)
			return
		}
		if s.send(s.reply(message)) != nil {
			return
		}
	}
}

// next is the client's next frame. Its error is a closeError where the
// frame breaks a rule of ours.
func (s *session) next() ([]byte, error) {
	kind, reader, err := s.conn.Reader(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read a frame: %w", err)
	}
	if kind == websocket.MessageBinary {
		return nil, closeError{websocket.StatusUnsupportedData, "only text frames are understood"}
	}
	message, err := io.ReadAll(io.LimitReader(reader, maxFrame+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read a frame: %w", err)
	case len(message) > maxFrame:
		return nil, closeError{websocket.StatusMessageTooBig, "a frame is larger than 16 KiB"}
	case !utf8.Valid(message):
		return nil, closeError{websocket.StatusInvalidFramePayloadData, "a frame is not UTF-8"}
	}
	return message, nil
}

// clientFrame is what a client says.
type clientFrame struct {
	Type  string `json:"type"`
	Token string `json:"token"`
}

// The types of clients' frames.
const (
	framePing         = "ping"
	frameAuthenticate = "authenticate"
)

// parseFrame fails with VALIDATION_FAILED.
func parseFrame(message []byte) (clientFrame, error) {
	var frame clientFrame
	switch err := json.Unmarshal(message, &frame); {
	case err != nil:
		return frame, booking.Errorf(booking.ReasonValidationFailed, "a frame is a JSON object with a type")
	case frame.Type != framePing && frame.Type != frameAuthenticate:
		return frame, booking.Invalid("type", "must be ping or authenticate")
	}
	return frame, nil
}

// reply is the answer to one frame of the client.
func (s *session) reply(message []byte) feed.Envelope {
	frame, err := parseFrame(message)
	switch {
	case err != nil:
		return s.failed(err)
	case frame.Type == framePing:
		return s.frame("stream.pong", struct{}{})
	}
	if err := s.renew(frame.Token); err != nil {
		if limited := s.handler.Gate.CountRefusal(s.ctx, s.peer); limited != nil {
			err = limited
		}
		return s.failed(err)
	}
	return s.ready(s.subscription.Newest())
}

func (s *session) failed(err error) feed.Envelope {
	told := failure{Reason: "INTERNAL", Message: "internal error"}
	if known, ok := errors.AsType[*booking.Error](err); ok {
		told = failure{Reason: known.Reason, Message: known.Message}
	}
	return s.frame("stream.error", told)
}

// renew takes a new token of the same user in the same role; the old expiry
// stands where it is refused.
func (s *session) renew(token string) error {
	caller, err := s.handler.Gate.Verifier.VerifyBearer(s.ctx, token)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	left := time.Until(caller.Expires)
	switch {
	case caller.Actor != s.caller.Actor:
		return booking.Errorf(booking.ReasonNotAllowed, "the token is of another user or role")
	case left <= 0: // the leeway is for requests, not for sockets
		return booking.Errorf(booking.ReasonTokenExpired, "the token has expired")
	}
	s.caller = caller
	s.setTimer()
	return nil
}
