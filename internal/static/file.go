package static

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

// File is a file as it is served: plain, or packed for those who take that.
type File struct {
	media, policy string
	plain, packed []byte
	tag           string
}

// New is a file of a media type. The policy (Content-Security-Policy) says what a
// page may load and ask; it is that of whoever serves it.
func New(media, policy string, plain []byte) File {
	return newFile(media, policy, plain, pack(plain))
}

// Packed is a file that is kept packed by gzip.
func Packed(media, policy string, packed []byte) File {
	return newFile(media, policy, unpack(packed), packed)
}

func newFile(media, policy string, plain, packed []byte) File {
	sum := sha256.Sum256(plain)
	return File{media: media, policy: policy, plain: plain, packed: packed, tag: hex.EncodeToString(sum[:16])}
}

func pack(plain []byte) []byte {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(plain) // a buffer takes everything
	_ = writer.Close()
	return packed.Bytes()
}

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
func (f File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.media)
	header.Set("Content-Security-Policy", f.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Accept-Encoding") // beside the Origin of pages that may call
	body, tag := f.plain, f.tag
	// Whoever asks for a part means the plain bytes.
	if takesGzip(r) && r.Header.Get("Range") == "" {
		body, tag = f.packed, f.tag+"-gzip" // a strong tag stands for these bytes
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
