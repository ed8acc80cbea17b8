package bookings

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEachReasonOfThePageOnErrorsHasAName(t *testing.T) {
	t.Parallel()
	page, source := text(t, "../../docs/errors.md"), text(t, "reason.go")
	codes := []string{"CANCELED", "DEADLINE_EXCEEDED", "INTERNAL"}
	found := 0
	for _, row := range regexp.MustCompile(`(?m)^\| \d+ \| ([A-Z_, ]+) \|`).FindAllStringSubmatch(page, -1) {
		for reason := range strings.SplitSeq(row[1], ", ") {
			found++
			if !slices.Contains(codes, reason) && !strings.Contains(source, `"`+reason+`"`) {
				t.Errorf("%s has no name", reason)
			}
		}
	}
	if found == 0 {
		t.Error("the page has no reasons")
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
