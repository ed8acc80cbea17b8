package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// An example in a page names its file, and is it.
var shown = regexp.MustCompile("(?s)\\[`(examples/[^`]+)`\\]\\(\\.\\./([^)]+)\\):\n\n```[a-z]+\n(.*?)```")

func TestTheExamplesInThePagesAreTheFilesThatTestsRun(t *testing.T) {
	t.Parallel()
	var found []string
	for _, page := range []string{"../docs/build.md", "../docs/streams.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range shown.FindAllStringSubmatch(string(text), -1) {
			file, err := os.ReadFile(filepath.Join("..", example[1]))
			if err != nil || example[1] != example[2] || string(file) != example[3] {
				t.Errorf("%s shows another %s: %v", page, example[1], err)
			}
			found = append(found, example[1])
		}
	}
	slices.Sort(found)
	all := []string{"examples/confirmer/main.go", "examples/follow/follow.ts", "examples/follow/main.go", "examples/page/index.html", "examples/page/page.ts"}
	if !slices.Equal(found, all) {
		t.Errorf("the pages show %q", found)
	}
}
