package app

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestThePageOnSettingsNamesEachWithItsDefault(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		name, ok := field.Tag.Lookup("env")
		if !ok {
			continue
		}
		row := ""
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, "| `") && strings.Contains(strings.SplitN(line, "|", 3)[1], "`"+name+"`") {
				row = line
			}
		}
		if value := field.Tag.Get("envDefault"); row == "" || value != "" && !strings.Contains(row, "| `"+value+"` |") {
			t.Errorf("%s, by default %q, has the row %q", name, value, row)
		}
	}
}
