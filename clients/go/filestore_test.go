package bookings_test

import (
	"path/filepath"
	"strings"
	"testing"

	bookings "bookings/clients/go"
)

func TestAFileThatKeepsNoPlaceIsNotGuessed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "place")
	store := bookings.FileStore(file)
	if place, err := store.Load(t.Context()); place != nil || err != nil {
		t.Errorf("no file is %v, %v", place, err)
	}
	want := bookings.Place{Sequence: 7, ID: "x"}
	if err := store.Save(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if place, err := store.Load(t.Context()); err != nil || *place != want {
		t.Errorf("kept is %v, %v", place, err)
	}
	write(t, file, "{")
	if _, err := store.Load(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file that is none is told as %v", err)
	}
}
