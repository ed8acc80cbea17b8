package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestAPageWithoutThePlaceOfTokensIsNotServed(t *testing.T) {
	t.Parallel()
	const line = `<meta name="tokens" content="">`
	for content, want := range map[string]bool{
		"<head>" + line + "</head>": true,
		"<head></head>":             false,
		line + line:                 false,
		strings.Replace(line, `""`, `"/dev/token"`, 1):           false,
		strings.Replace(line, `<meta `, `<meta id="tokens" `, 1): false,
	} {
		_, err := index([]byte(content), func(*http.Request) bool { return false })
		if (err == nil) != want {
			t.Errorf("%s: %v", content, err)
		}
	}
}
