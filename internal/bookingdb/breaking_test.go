package bookingdb_test

import "maps"

// breaking are rows that break one constraint each.
var breaking = map[string][]columns{
	"bookings_pkey":                   {{"id": existing}},
	"bookings_idempotency_key_unique": {keyed("'a-key'", columns{"provider_id": "'ben'", "status": "'COMPLETED'", "reminder_state": "'SENT'"})},
	"bookings_no_overlap": {
		{"provider_id": "'ben'"},
		{"provider_id": "'ben'", "status": "'PENDING'"},
		{"provider_id": "'ben'", "start_time": "'2031-03-04 09:59:59.999999Z'", "end_time": "'2031-03-04 11:00Z'"},
		{"provider_id": "'ben'", "start_time": "'2031-03-04 08:55Z'", "end_time": "'2031-03-04 09:00:00.000001Z'"},
		{"provider_id": "'ben'", "start_time": "'2031-03-04 09:10Z'", "end_time": "'2031-03-04 09:20Z'"},
	},
	"bookings_provider_id_check": users("provider_id"),
	"bookings_customer_id_check": users("customer_id"),
	"bookings_parties_differ":    {{"customer_id": "'other'"}},
	"bookings_slot_order": {
		{"end_time": "'2031-03-04 09:00Z'"},
		{"end_time": "'2031-03-04 08:59Z'"},
	},
	"bookings_slot_length": {{"end_time": "'2031-03-05 10:00:00.000001Z'"}},
	"bookings_slot_years": {
		{"start_time": "'0001-12-31 23:59Z BC'", "end_time": "'0001-01-01 01:00Z'", "reminder_due_time": "'0002-01-01 BC'"},
		{"start_time": "'9999-12-31 23:59Z'", "end_time": "'10000-01-01 00:00Z'"},
	},
	"bookings_status_check": {
		{"status": "'OPEN'", "reminder_state": "'SENT'"},
		{"status": "'confirmed'", "reminder_state": "'SENT'"},
		{"status": "''", "reminder_state": "'SENT'"},
	},
	"bookings_note_length": {{"note": "repeat('ä', 1001)"}},
	"bookings_metadata_check": {
		{"metadata": `'"text"'`},
		{"metadata": "'[]'"},
		{"metadata": "'null'"},
		{"metadata": `'{"a": 1}'`},
		{"metadata": `'{"a": "b", "c": null}'`},
		{"metadata": `'{"a": ["b"]}'`},
		{"metadata": `'{"a": {}}'`},
	},
	"bookings_metadata_count": {entries("21", "i::text", "''")},
	"bookings_metadata_keys": {
		entries("1", "''", "''"), entries("1", "repeat('k', 41)", "''"), entries("1", "'a b'", "''"), entries("1", "'ä'", "''"),
		entries("1", `E'a\n'`, "''"),
		{"metadata": `'{"a": "", "b c": ""}'`},
	},
	"bookings_metadata_values": {entries("1", "'a'", "repeat('ä', 501)"), entries("2", "i::text", `repeat(E'\n', 498 + 2*i)`)},
	"bookings_version_check":   {{"version": "0"}},
	"bookings_moves_check":     {{"moves": "-1"}},
	"bookings_cancellation_check": {
		{"status": "'CANCELLED'", "reminder_state": "'SKIPPED'"},
		cancelled(columns{"cancel_reason": "NULL"}),
		cancelled(columns{"cancelled_by": "NULL"}),
		cancelled(columns{"cancel_time": "NULL"}),
		cancelled(columns{"status": "'CONFIRMED'"}),
		{"cancel_reason": "'ill'"},
		{"status": "'COMPLETED'", "reminder_state": "'SENT'", "cancel_time": "now()"},
	},
	"bookings_cancel_reason_length": {cancelled(columns{"cancel_reason": "repeat('ä', 1001)"})},
	"bookings_cancelled_by_check":   {cancelled(columns{"cancelled_by": "'admin'"})},
	"bookings_idempotency_key_check": {
		keyed("''", nil), keyed("'a key'", nil), keyed("'schlüssel'", nil), keyed(`E'a\n'`, nil), keyed(`E'\x7f'`, nil),
		keyed("repeat('k', 256)", nil),
	},
	"bookings_fingerprint_check": {
		{"idempotency_key": "'b-key'"},
		{"request_fingerprint": "sha256('')"},
		keyed("'b-key'", columns{"request_fingerprint": "''"}),
		keyed("'b-key'", columns{"request_fingerprint": "sha512('')"}),
	},
	"bookings_reminder_state_check": {{"reminder_state": "'LATE'"}, {"reminder_state": "''"}},
	"bookings_reminder_leads_check": {
		{"reminder_leads": "'{-1}'"}, {"reminder_leads": "'{3600,2592001}'"}, {"reminder_leads": "'{5,4,3,2,1,0}'"},
	},
	"bookings_reminder_due_check": {{"reminder_due_time": "'2031-03-04 09:00:00.000001Z'"}},
	"bookings_reminder_scheduled_check": {
		{"reminder_job_id": "NULL"},
		{"status": "'COMPLETED'"},
		{"status": "'NO_SHOW'"},
		cancelled(columns{"reminder_state": "'SCHEDULED'"}),
	},

	"bookings_expiry_check": {{"expire_time": "now()"}, {"expire_job_id": "1"}},

	"booking_events_pkey":           {{"id": existing}},
	"booking_events_history_unique": {{"ordinal": "77"}},
	"booking_events_booking_fkey":   {{"booking_id": "gen_random_uuid()"}},
	"booking_events_type_check":     {{"type": "'booking.deleted'"}, {"type": "''"}},
	"booking_events_actor_role_check": {
		{"actor_role": "'admin'"},
		{"actor_role": "''"},
	},
	"booking_events_actor_id_check": {
		{"actor_role": "'internal'"},
		{"actor_role": "'system'"},
		{"actor_id": "''"},
	},
	"booking_events_data_check": {{"data": "'[]'"}, {"data": "'null'"}, {"data": `'"text"'`}},
	"booking_events_one_reminder_a_lead": {
		{"type": "'booking.reminder.due'", "data": `'{"leadSeconds": 600, "startTime": "…"}'`},
	},

	"feeds_pkey":       {{"user_id": "'anna'"}},
	"feeds_role_check": {{"role": "'internal'"}, {"role": "''"}},
	"feeds_numbers_check": {
		{"head": "1"},
		{"pruned_through": "-1"},
		{"head": "-1", "pruned_through": "-1"},
	},
	"feeds_newest_check": {
		{"newest_id": "NULL"},
		{"head": "0", "pruned_through": "0"},
	},

	"feed_entries_pkey":           {{"user_id": "'anna'"}},
	"feed_entries_sequence_check": {{"sequence": "0", "previous_id": "gen_random_uuid()"}},
	"feed_entries_previous_check": {{"sequence": "2"}, {"previous_id": "gen_random_uuid()"}},
}

// users are ids that no user has.
func users(column string) []columns {
	return []columns{
		{column: "''"}, {column: "repeat('a', 129)"}, {column: `E'a\x01'`}, {column: `E'a\n'`}, {column: `E'\x7fa'`}, {column: `U&'\0085'`},
	}
}

// entries are metadata with as many entries, of which SQL makes each.
func entries(count, key, value string) columns {
	return columns{"metadata": "(SELECT jsonb_object_agg(" + key + ", " + value + ") FROM generate_series(1, " + count + ") AS i)"}
}

// cancelled is a booking that was called off in all order, but for what changes.
func cancelled(changed columns) columns {
	row := columns{
		"status": "'CANCELLED'", "cancel_reason": "''", "cancelled_by": "'customer'", "cancel_time": "now()", "reminder_state": "'SKIPPED'",
	}
	maps.Copy(row, changed)
	return row
}

// keyed is a booking with a key.
func keyed(key string, changed columns) columns {
	row := columns{"idempotency_key": key, "request_fingerprint": "sha256('')"}
	maps.Copy(row, changed)
	return row
}
