import { timestampFromDate } from "@bookings/client";
import { useState } from "preact/hooks";
import { useAttempt } from "./attempt.js";
import { addMinutes, dateField, fromFields, timeField } from "./day.js";
import { Field, Wrong } from "./field.js";
import { focus } from "./focus.js";
import type { Person } from "./person.js";
import { otherSide, world } from "./world.js";

const lengths = [15, 30, 45, 60, 90, 120];

interface BookFormProps {
  readonly person: Person;
  readonly hour: Date;
  /** With the id of what was booked, where it was. */
  readonly onDone: (id?: string) => void;
}

/** Books a time that was chosen. */
export function BookForm({ person, hour, onDone }: BookFormProps) {
  const other = otherSide(person.role);
  const otherField = `${other}Id`;
  const [time, setTime] = useState(timeField(hour));
  const [minutes, setMinutes] = useState(60);
  const [otherId, setOtherId] = useState(world[other]?.id ?? "");
  const [note, setNote] = useState("");
  const { problem, busy, attempt } = useAttempt(["startTime", "endTime", "note", otherField]);
  const book = async () => {
    const from = fromFields(dateField(world.day), time)!;
    const { booking } = await person.client.bookings.createBooking({
      [otherField]: otherId,
      startTime: timestampFromDate(from),
      endTime: timestampFromDate(addMinutes(from, minutes)),
      note,
    });
    person.hold([booking]);
    onDone(booking?.id);
  };
  return (
    <form
      class="inline"
      onSubmit={(e) => {
        e.preventDefault();
        void attempt(book);
      }}
    >
      <Field label="From" name="startTime" problem={problem}>
        {(attributes) => <input {...attributes} type="time" required ref={focus} value={time} onInput={(e) => setTime(e.currentTarget.value)} />}
      </Field>
      <Field label="For" name="endTime" problem={problem}>
        {(attributes) => (
          <select {...attributes} value={minutes} onChange={(e) => setMinutes(Number(e.currentTarget.value))}>
            {lengths.map((length) => (
              <option key={length} value={length}>
                {length} min
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={other === "provider" ? "With" : "Customer"} name={otherField} problem={problem}>
        {(attributes) => <input {...attributes} value={otherId} onInput={(e) => setOtherId(e.currentTarget.value)} />}
      </Field>
      <Field label="Note" name="note" problem={problem}>
        {(attributes) => <input {...attributes} value={note} onInput={(e) => setNote(e.currentTarget.value)} />}
      </Field>
      <Wrong text={problem.text} />
      <div class="buttons">
        <button type="submit" class="main" aria-disabled={busy}>
          Book
        </button>
        <button type="button" onClick={() => onDone()}>
          Close
        </button>
      </div>
    </form>
  );
}
