import { timestampFromDate, type Booking } from "@bookings/client";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useAttempt } from "./attempt.js";
import { dateField, fromFields, timeField } from "./day.js";
import { Field, Wrong } from "./field.js";
import { focus } from "./focus.js";
import { end, start, type Person } from "./person.js";
import type { Problem } from "./words.js";

interface FormProps {
  readonly person: Person;
  readonly booking: Booking;
  readonly onDone: () => void;
}

/** To another time, of the same length. */
export function MoveForm({ person, booking, onDone }: FormProps) {
  const [date, setDate] = useState(dateField(start(booking)));
  const [time, setTime] = useState(timeField(start(booking)));
  const move = () => {
    const from = fromFields(date, time)!;
    const until = new Date(from.getTime() + end(booking).getTime() - start(booking).getTime());
    const { id, etag } = booking;
    return person.client.bookings.rescheduleBooking({ id, etag, startTime: timestampFromDate(from), endTime: timestampFromDate(until) });
  };
  return (
    <ChangeForm label="Move" person={person} call={move} onDone={onDone}>
      {(problem) => (
        <>
          <Field label="Day" name="date" problem={problem}>
            {(attributes) => <input {...attributes} type="date" required value={date} onInput={(e) => setDate(e.currentTarget.value)} />}
          </Field>
          <Field label="From" name="startTime" problem={problem}>
            {(attributes) => <input {...attributes} type="time" required ref={focus} value={time} onInput={(e) => setTime(e.currentTarget.value)} />}
          </Field>
        </>
      )}
    </ChangeForm>
  );
}

export function CancelForm({ person, booking: { id, etag }, onDone }: FormProps) {
  const [reason, setReason] = useState("");
  const cancel = () => person.client.bookings.cancelBooking({ id, etag, reason });
  return (
    <ChangeForm label="Cancel the booking" person={person} call={cancel} onDone={onDone}>
      {(problem) => (
        <Field label="Reason" name="reason" problem={problem}>
          {(attributes) => <input {...attributes} ref={focus} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />}
        </Field>
      )}
    </ChangeForm>
  );
}

export function NoteForm({ person, booking, onDone }: FormProps) {
  const [note, setNote] = useState(booking.note);
  const { id, etag } = booking;
  const write = () => person.client.bookings.updateBooking({ id, etag, note, updateMask: { paths: ["note"] } });
  return (
    <ChangeForm label="Write" person={person} call={write} onDone={onDone}>
      {(problem) => (
        <Field label="Note, for both of you" name="note" problem={problem}>
          {(attributes) => <input {...attributes} ref={focus} value={note} onInput={(e) => setNote(e.currentTarget.value)} />}
        </Field>
      )}
    </ChangeForm>
  );
}

interface ChangeFormProps {
  readonly label: string;
  readonly person: Person;
  readonly call: () => Promise<{ booking?: Booking | undefined }>;
  readonly onDone: () => void;
  readonly children: (problem: Problem) => ComponentChildren;
}

function ChangeForm({ label, person, call, onDone, children }: ChangeFormProps) {
  const { problem, busy, attempt } = useAttempt(["startTime", "note", "reason"]);
  const change = async () => {
    person.hold([(await call()).booking]);
    onDone();
  };
  return (
    <form
      class="inline"
      onSubmit={(e) => {
        e.preventDefault();
        void attempt(change);
      }}
    >
      {children(problem)}
      <Wrong text={problem.text} />
      <div class="buttons">
        <button type="submit" class="main" aria-disabled={busy}>
          {label}
        </button>
        <button type="button" onClick={onDone}>
          Close
        </button>
      </div>
    </form>
  );
}
