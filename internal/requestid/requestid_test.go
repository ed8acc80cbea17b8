package requestid_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bookings/internal/requestid"
)

func TestAnIDIsTakenOverOnlyWhereItIsHarmless(t *testing.T) {
	t.Parallel()
	for given, taken := range map[string]bool{
		"a": true, "req-1_2.3": true, strings.Repeat("Z", 64): true,
		"": false, strings.Repeat("Z", 65): false, "a b": false, "a\n": false, "a\nb": false, "a\x00": false,
		"ä": false, "a/b": false, `a"b`: false, "a\x1b[31m": false,
	} {
		got := requestid.Choose(given)
		if (got == given) != taken {
			t.Errorf("given %q: %q", given, got)
		}
		if _, err := uuid.Parse(got); !taken && err != nil {
			t.Errorf("given %q: made %q, %v", given, got, err)
		}
	}
}

func TestEachRequestGetsAnotherID(t *testing.T) {
	t.Parallel()
	if one, other := requestid.Choose(""), requestid.Choose(""); one == other {
		t.Errorf("both are %s", one)
	}
}

func TestTheContextCarriesTheID(t *testing.T) {
	t.Parallel()
	if got := requestid.From(requestid.NewContext(t.Context(), "mine")); got != "mine" {
		t.Errorf("id = %q", got)
	}
	if got := requestid.From(context.Background()); got != "" {
		t.Errorf("id without a request = %q", got)
	}
}
