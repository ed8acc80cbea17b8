package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page that names a test which is gone promises without proof.
func TestEachGuaranteeNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	page := string(readAllOf(t, "../../docs/guarantees.md"))
	named := regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")
	promises := 0
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") {
			continue
		}
		promises++
		tests := named.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("a promise without a test: %s", line)
		}
		for _, test := range tests {
			if !hasTest(t, test[1], test[2]) {
				t.Errorf("%s has no %s", test[1], test[2])
			}
		}
	}
	if promises == 0 {
		t.Error("the page promises nothing")
	}
}

// hasTest looks into a package below internal, or into one that is named by its path.
func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	folder := filepath.Join("..", pkg)
	if strings.Contains(pkg, "/") {
		folder = filepath.Join("..", "..", pkg)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
