package app

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzSettings makes up one setting beside good ones: a wrong one is refused by its
// name, and a secret is not repeated to whoever reads the error.
func FuzzSettings(f *testing.F) {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		// What names a file would have any file read.
		if name := field.Tag.Get("env"); name != "" && !strings.Contains(strings.ToLower(field.Tag.Get("help")), "file") {
			names = append(names, name)
		}
	}
	for i := range names {
		for _, value := range []string{"", "x", "0", "-1", "1h", "10.0.0.0/8,::1/128", ":8080", "https://example.com,*", "redis://h:1/0?x=y", "postgres://u:secret@h/d?a=b", "\x00"} {
			f.Add(i, value)
		}
	}
	f.Fuzz(func(t *testing.T, number int, value string) {
		name := names[uint(number)%uint(len(names))]
		if strings.Contains(value, "\x00") {
			return // no environment has one
		}
		good := []string{"DATABASE_URL=postgres://localhost/bookings", "JWT_SECRET=" + strings.Repeat("s", minSecret)}
		_, err := FromEnvironment(append(good, name+"="+value))
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Fatalf("%s=%q: %v", name, value, err)
		}
		isSecret := name == "JWT_SECRET" || name == "INTERNAL_TOKEN"
		if err != nil && isSecret && len(value) >= 8 && strings.Contains(err.Error(), value) {
			t.Fatalf("%s is repeated: %v", name, err)
		}
		if err == nil && name == "JWT_SECRET" && value != "" && len(value) < minSecret {
			t.Fatalf("a secret of %d bytes is taken", len(value))
		}
	})
}
