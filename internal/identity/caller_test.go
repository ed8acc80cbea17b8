package identity

import "testing"

func TestTheContextCarriesTheCaller(t *testing.T) {
	t.Parallel()
	if _, ok := FromContext(t.Context()); ok {
		t.Fatal("an empty context has a caller")
	}
	want := Caller{Actor: alice, Expires: now}
	if got, ok := FromContext(NewContext(t.Context(), want)); !ok || got != want {
		t.Fatalf("the context has %+v, %v; want %+v", got, ok, want)
	}
}
