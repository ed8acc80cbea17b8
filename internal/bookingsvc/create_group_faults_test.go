package bookingsvc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"bookings/internal/booking"
	"bookings/internal/bookingsvc"
	"bookings/internal/feed"
	"bookings/internal/pgtest"
)

// Whose feed is locked waits by itself, until the lock is gone.
func TestAGroupWaitsForNobody(t *testing.T) {
	t.Parallel()
	for name, locked := range map[string]string{"a provider": "provider-0", "a customer": "customer-0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSalon(t)
			release, letGo := s.hold("SELECT FROM feeds WHERE user_id = '" + locked + "' FOR UPDATE")
			answers := make(chan answer, regulars)
			for i := range regulars {
				go func() {
					created, err := s.Create(t.Context(), customerNumber(i), atProvider(i, 1))
					answers <- answer{created, err}
				}()
			}
			release(regulars)
			for range regulars - 1 {
				if made := <-answers; made.err != nil || made.Booking.ProviderID == "provider-0" {
					t.Errorf("made %+v, %v", made.Booking, made.err)
				}
			}
			letGo()
			if made := <-answers; made.err != nil {
				t.Error(made.err)
			}
			s.check()
		})
	}
}

// What nobody foresaw of one is no reason to keep others from their bookings.
func TestWhatFailsInAGroupFailsAlone(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	s.execute(s.pool, "ALTER TABLE bookings ADD CONSTRAINT unforeseen CHECK (note <> 'poison')")
	answers := s.gather(regulars, func(i int) (bookingsvc.Created, error) {
		request := atProvider(i, 1)
		if i == 0 {
			request.Note = "poison"
		}
		return s.Create(t.Context(), customerNumber(i), request)
	})
	for i, made := range answers {
		if (made.err != nil) != (i == 0) {
			t.Errorf("create %d: %v", i, made.err)
		}
	}
	s.check()
}

func TestAGroupThatPanicsIsLeft(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	if !s.WriteImpossibleGroup(t.Context()) {
		t.Error("it is not left to be written alone")
	}
}

// hangUp makes a trigger whose connection is lost for a booking with a note.
func (s salon) hangUp(trigger string) {
	s.t.Helper()
	s.execute(s.pool, `
		CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			PERFORM pg_terminate_backend(pg_backend_pid());
			PERFORM pg_sleep(60);
		END $$`)
	s.execute(s.pool, trigger+" FOR EACH ROW WHEN (NEW.note = 'the last words') EXECUTE FUNCTION hang_up()")
}

// lose books with one booking during which the connection is lost.
func (s salon) lose() []answer {
	s.t.Helper()
	return s.gather(regulars, func(i int) (bookingsvc.Created, error) {
		request := atProvider(i, 1)
		if i == 0 {
			request.Note = "the last words"
		}
		return s.Create(s.t.Context(), customerNumber(i), request)
	})
}

func TestAConnectionThatIsLostByOneOfAGroupIsNothingToTheOthers(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	s.hangUp("CREATE TRIGGER hang_up BEFORE INSERT ON bookings")
	for i, made := range s.lose() {
		var want booking.Reason
		if i == 0 {
			want = booking.ReasonDatabaseUnavailable
		}
		if got := reasonOf(t, made.err); got != want {
			t.Errorf("create %d: %q, not %q", i, got, want)
		}
	}
	s.check()
}

// What was written is told, also where who asked for it has left meanwhile.
func TestWhatAGroupHasWrittenIsTold(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	reader, err := s.Feeds.Subscribe(t.Context(), feed.Key{Role: booking.RoleProvider, User: "provider-1"}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	s.execute(s.pool, `
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$`)
	s.execute(s.pool, "CREATE TRIGGER wait BEFORE INSERT ON bookings FOR EACH ROW WHEN (NEW.note = 'slow') EXECUTE FUNCTION wait()")
	release, letGo := s.hold("SELECT pg_advisory_xact_lock(1)")
	ctx, leave := context.WithCancel(t.Context())
	leaver, others := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Create(ctx, customerNumber(1), atProvider(1, 1))
		leaver <- err
	}()
	go func() {
		request := atProvider(2, 1)
		request.Note = "slow"
		_, err := s.Create(t.Context(), customerNumber(2), request)
		others <- err
	}()
	release(2)
	pgtest.Eventually(t, "the group being written", func() bool { return value[int](s.desk, slow) == 1 })
	leave()
	if err := <-leaver; !errors.Is(err, context.Canceled) {
		t.Errorf("who left was answered %v", err)
	}
	letGo()
	if err := <-others; err != nil {
		t.Error(err)
	}
	within, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if entry, err := reader.Next(within); err != nil || entry.Type != booking.EventCreated {
		t.Errorf("told %+v, %v", entry, err)
	}
}

const slow = `
	SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
	WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted`

func TestAGroupThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	s.execute(s.pool, "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$")
	s.execute(s.pool, "CREATE TRIGGER hang BEFORE INSERT ON bookings FOR EACH ROW WHEN (NEW.note = 'forever') EXECUTE FUNCTION hang()")
	release, letGo := s.hold("")
	defer letGo()
	ctx, leave := context.WithCancel(t.Context())
	stuck, others := make(chan error, 1), make(chan error, regulars)
	go func() {
		request := atProvider(0, 1)
		request.Note = "forever"
		_, err := s.Create(ctx, customerNumber(0), request)
		stuck <- err
	}()
	for i := 1; i < regulars; i++ {
		go func() {
			_, err := s.Create(t.Context(), customerNumber(i), atProvider(i, 1))
			others <- err
		}()
	}
	release(regulars)
	for range regulars - 1 {
		if err := <-others; err != nil {
			t.Error(err)
		}
	}
	leave()
	if err := <-stuck; !errors.Is(err, context.Canceled) {
		t.Errorf("who hangs was answered %v", err)
	}
	s.check()
}

// A server that is gone does not say whether it has committed: to try again could book twice.
func TestAGroupWhoseCommitIsInDoubtIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	s.hangUp("CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON bookings DEFERRABLE INITIALLY DEFERRED")
	before := s.rows()
	for _, made := range s.lose() {
		if got := reasonOf(t, made.err); got != booking.ReasonDatabaseUnavailable {
			t.Errorf("answer: %q", got)
		}
	}
	if after := s.rows(); after["bookings"] != before["bookings"]+1 { // by hold
		t.Errorf("%v before, %v after", before, after)
	}
	s.check()
}

func TestWhoLeavesAGroupBeforeItBeginsIsNotBooked(t *testing.T) {
	t.Parallel()
	s := openSalon(t)
	release, letGo := s.hold("")
	defer letGo()
	left := errors.New("left")
	ctx, leave := context.WithCancelCause(t.Context())
	answers := make(chan error, regulars)
	for i := range regulars {
		go func() {
			its := t.Context()
			if i == 0 {
				its = ctx
			}
			_, err := s.Create(its, customerNumber(i), atProvider(i, 1))
			answers <- err
		}()
	}
	s.awaitWaiting(regulars)
	leave(left)
	if err := <-answers; !errors.Is(err, left) {
		t.Errorf("who left was answered %v", err)
	}
	release(regulars)
	for range regulars - 1 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if n := value[int](s.desk, "SELECT count(*) FROM bookings WHERE provider_id = 'provider-0'"); n != 1 {
		t.Errorf("%d bookings of who left", n)
	}
	s.check()
}
