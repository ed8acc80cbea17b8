package app

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// body is a request in JSON that passes and books nothing; further fields are
// added to it, or take the place of those that are there.
func body(fields ...string) string {
	all := []string{`"providerId":"paul"`, fmt.Sprintf(`"startTime":%q`, timeText(0)), fmt.Sprintf(`"endTime":%q`, timeText(1)), `"validateOnly":true`}
	for _, field := range fields {
		name, _, _ := strings.Cut(field, ":")
		for n, old := range all {
			if strings.HasPrefix(old, name+":") {
				all[n] = field
				field = ""
			}
		}
		if field != "" {
			all = append(all, field)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func timeText(hours int) string { return soon(hours).Format(time.RFC3339) }

func raw(name, body, want string) bad {
	return bad{name, call{method: "CreateBooking", raw: []byte(body)}, want}
}

func TestJSONOfTheWrongShapeNamesTheField(t *testing.T) {
	t.Parallel()
	day := soon(0).Format("2006-01-02")
	start(t).check([]bad{
		raw("good", body(), fine),
		raw("proto names", body(`"idempotency_key":"k"`), fine),
		raw("null is unset", body(`"note":null`), fine),
		raw("an offset", body(fmt.Sprintf(`"startTime":"%sT00:00:00+02:00"`, day), fmt.Sprintf(`"endTime":"%sT01:00:00+03:00"`, day)), invalid+"end_time"),
		raw("no fields", `{}`, invalid+"end_time,start_time"),
		raw("null time", body(`"startTime":null`), invalid+"start_time"),
		raw("unknown field", body(`"idempotencykey":"k"`), invalid+"idempotencykey"),
		raw("unknown field of null", body(`"Note":null`), invalid+"Note"),
		raw("number for text", body(`"note":5`), invalid+"note"),
		raw("list for text", body(`"providerId":["paul"]`), invalid+"provider_id"),
		raw("object for text", body(`"note":{"a":"b"}`), invalid+"note"),
		raw("text for bool", body(`"validateOnly":"true"`), invalid+"validate_only"),
		raw("number for time", body(`"startTime":1767225600`), invalid+"start_time"),
		raw("object for time", body(`"startTime":{"seconds":5}`), invalid+"start_time"),
		raw("no offset", body(fmt.Sprintf(`"startTime":"%sT10:00:00"`, day)), invalid+"start_time"),
		raw("a date", body(fmt.Sprintf(`"startTime":%q`, day)), invalid+"start_time"),
		raw("a word", body(`"endTime":"tomorrow"`), invalid+"end_time"),
		raw("no such day", body(`"startTime":"2027-02-30T10:00:00Z"`), invalid+"start_time"),
		raw("no such second", body(`"startTime":"2026-12-31T23:59:60Z"`), invalid+"start_time"),
		raw("year 10000", body(`"endTime":"10000-01-01T00:00:00Z"`), invalid+"end_time"),
		raw("year 0", body(`"startTime":"0000-01-01T00:00:00Z"`), invalid+"start_time"),
		raw("10 digits of a second", body(fmt.Sprintf(`"startTime":"%sT10:00:00.1234567891Z"`, day)), invalid+"start_time"),
		raw("less than a microsecond long", body(fmt.Sprintf(`"startTime":"%sT10:00:00.0000011Z"`, day), fmt.Sprintf(`"endTime":"%sT10:00:00.0000019Z"`, day)), invalid+"end_time"),
		raw("NUL in note", body(`"note":"a\u0000b"`), invalid+"note"),
		raw("NUL in provider", body(`"providerId":"\u0000"`), invalid+"provider_id"),
		raw("half a surrogate pair", body(`"note":"\ud800"`), invalid+"note"),
		raw("no UTF-8 in note", body("\"note\":\"\xff\xfe\""), invalid+"note"),
		raw("no UTF-8 in a name", body("\"\xff\":1"), invalid+"*"),
		raw("a name twice", body()[:len(body())-1]+`,"note":"a","note":"b"}`, invalid+"body"),
		raw("a name in both spellings", body(`"note":"a"`, `"providerId":"a"`, `"provider_id":"b"`), invalid+"body"),
	}, inForm(formJSON))
}

func TestWhatIsNoJSONObjectIsRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000)
	start(t).check([]bad{
		raw("list", `[]`, invalid+"body"),
		raw("text", `"a"`, invalid+"body"),
		raw("number", `7`, invalid+"body"),
		raw("null", `null`, invalid+"body"),
		raw("a space", ` `, invalid+"body"),
		raw("cut short", body()[:20], invalid+"body"),
		raw("more behind", body()+` x`, invalid+"body"),
		raw("two objects", body()+body(), invalid+"body"),
		raw("comma at the end", `{"note":"a",}`, invalid+"body"),
		raw("comment", `{/* */}`, invalid+"body"),
		raw("single quotes", `{'note':'a'}`, invalid+"body"),
		raw("byte order mark", "\ufeff"+body(), invalid+"body"),
		raw("binary", "\x00\x01\x02", invalid+"body"),
		raw("deep", deep, invalid+"body"),
		raw("deep in a field", body(`"note":`+deep), invalid+"*"),
		raw("deep in an unknown field", body(`"unknown":`+deep), invalid+"*"),
		raw("deep objects", strings.Repeat(`{"note":`, 6000)+`1`+strings.Repeat(`}`, 6000), invalid+"*"),
		raw("any number of fields", `{"note`+strings.Repeat(`":"a","b`, 6000)+`":"c"}`, invalid+"*"),
	}, inForm(formJSON))
}
