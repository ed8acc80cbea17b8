package reference

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// page is a file as it is served: plain, or packed for those who take that.
type page struct {
	media         string
	plain, packed []byte
	tag           string
}

func newPage(media string, plain, packed []byte) page {
	sum := sha256.Sum256(plain)
	return page{media: media, plain: plain, packed: packed, tag: hex.EncodeToString(sum[:16])}
}

func pack(plain []byte) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(plain) // a buffer takes everything
	_ = writer.Close()
	return packed.Bytes()
}

// unpack is what a file of assets/ is kept packed of.
func unpack(packed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err) // it is in the program: a test reads it
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		panic(err)
	}
	return plain
}

// ServeHTTP answers GET and HEAD. A browser keeps what it has been given and asks
// each time whether it is still so: a new version shows at once.
func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", p.media)
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Accept-Encoding") // beside the Origin of pages that may call
	body, tag := p.plain, p.tag
	// Whoever asks for a part means the plain bytes.
	if takesGzip(r) && r.Header.Get("Range") == "" {
		body, tag = p.packed, p.tag+"-gzip" // a strong tag stands for these bytes
		header.Set("Content-Encoding", "gzip")
		header.Set("Content-Length", strconv.Itoa(len(body))) // else left out beside an encoding
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3) as far as browsers use it.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
