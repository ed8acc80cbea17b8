package wsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"bookings/internal/booking"
	"bookings/internal/feed"
	"bookings/internal/identity"
)

// ready is the data of stream.ready.
type ready struct {
	// Sequence is the feed's head, spelled as in envelopes.
	Sequence string `json:"sequence"`
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

func (s *session) ready() feed.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frame("stream.ready", ready{
		Sequence:     feed.Sequence(s.feed.Head()),
		Resumed:      s.feed.Resumed,
		ExpiresAt:    s.caller.Expires.UTC().Format(time.RFC3339Nano),
		PingInterval: int(pingInterval.Seconds()),
	})
}

// frame is an envelope about the socket itself: without subject or sequence.
func (s *session) frame(kind string, data any) feed.Envelope {
	return feed.Envelope{
		SpecVersion:     feed.SpecVersion,
		ID:              uuid.Must(uuid.NewV7()).String(),
		Source:          s.feed.Key().Source(),
		Type:            kind,
		Time:            time.Now().UTC().Format(time.RFC3339Nano),
		DataContentType: feed.DataContentType,
		Data:            data,
	}
}

// send writes one frame. Where it does not leave in time the connection is
// dropped: a close frame would not leave either.
func (s *session) send(envelope feed.Envelope) error {
	message, err := json.Marshal(envelope)
	if err != nil {
		return fmt.Errorf("encode a frame: %w", err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, writeDeadline)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, message); err != nil {
		s.drop()
		return err
	}
	return nil
}

// read answers the client's frames until the socket ends.
func (s *session) read() {
	for {
		kind, message, err := s.conn.Read(s.ctx)
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			s.end(websocket.StatusMessageTooBig, "a frame is larger than 16 KiB")
			return
		case err != nil:
			s.drop()
			return
		case kind == websocket.MessageBinary:
			s.end(websocket.StatusUnsupportedData, "only text frames are understood")
			return
		case !utf8.Valid(message):
			s.end(websocket.StatusInvalidFramePayloadData, "a frame is not UTF-8")
			return
		case !s.limit.Allow():
			s.end(websocket.StatusPolicyViolation, "more than 10 frames a second")
			return
		}
		if s.send(s.reply(message)) != nil {
			return
		}
	}
}

// reply is the answer to one frame of the client.
func (s *session) reply(message []byte) feed.Envelope {
	var frame struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	if err := json.Unmarshal(message, &frame); err != nil {
		return s.failed(booking.Errorf(booking.ReasonValidationFailed, "a frame is a JSON object with a type"))
	}
	switch frame.Type {
	case "ping":
		return s.frame("stream.pong", struct{}{})
	case "authenticate":
		if err := s.renew(frame.Token); err != nil {
			return s.failed(err)
		}
		return s.ready()
	default:
		return s.failed(booking.Invalid("type", "must be ping or authenticate"))
	}
}

func (s *session) failed(err error) feed.Envelope {
	told := failure{Reason: "INTERNAL", Message: "internal error"}
	var known *booking.Error
	if errors.As(err, &known) {
		told = failure{Reason: known.Reason, Message: known.Message}
	}
	return s.frame("stream.error", told)
}

// renew takes a new token of the same user in the same role; the old expiry
// stands where it is refused.
func (s *session) renew(token string) error {
	caller, err := s.handler.Gate.Verifier.VerifyBearer(token)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if caller.Actor != s.caller.Actor {
		return booking.Errorf(booking.ReasonNotAllowed, "the token is of another user or role")
	}
	s.caller = identity.Caller{Actor: caller.Actor, Expires: caller.Expires}
	if s.expiry != nil {
		s.expiry.Reset(time.Until(caller.Expires))
	}
	return nil
}
