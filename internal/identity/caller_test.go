package identity

import "testing"

func TestTheContextCarriesTheCaller(t *testing.T) {
	t.Parallel()
	if got := From(t.Context()); got != (Caller{}) {
		t.Fatal("an empty context has a caller")
	}
	want := Caller{Actor: alice, Expires: now}
	if got := From(NewContext(t.Context(), want)); got != want {
		t.Fatalf("the context has %+v; want %+v", got, want)
	}
}
