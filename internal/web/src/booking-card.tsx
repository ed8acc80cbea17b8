import { BookingAction, BookingStatus, ReminderState, timestampDate, type Booking } from "@bookings/client";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAttempt } from "./attempt.js";
import { CancelForm, MoveForm, NoteForm } from "./change-forms.js";
import { clock } from "./day.js";
import { Wrong } from "./field.js";
import { focusOpener, useFocusKept } from "./focus.js";
import { end, start, type Person } from "./person.js";

const statusWords: Readonly<Record<number, string>> = {
  [BookingStatus.PENDING]: "to be confirmed",
  [BookingStatus.CONFIRMED]: "confirmed",
  [BookingStatus.CANCELLED]: "cancelled",
  [BookingStatus.COMPLETED]: "took place",
  [BookingStatus.NO_SHOW]: "did not come",
};

/** What is changed by more than a click. */
const forms = { move: MoveForm, cancel: CancelForm, note: NoteForm };

interface BookingCardProps {
  readonly person: Person;
  readonly booking: Booking;
  /** This person has just made it here: the keyboard goes on with it. */
  readonly made: boolean;
}

/** A booking, with what this person may do with it. */
export function BookingCard({ person, booking, made }: BookingCardProps) {
  const [form, setForm] = useState<keyof typeof forms | undefined>(undefined);
  const { problem, busy, attempt } = useAttempt();
  const card = useRef<HTMLLIElement>(null);
  const open = useRef(form);
  open.current = form;
  useFocusKept(card);
  useLayoutEffect(() => {
    if (made) card.current?.focus();
  }, [made]);
  const { id, etag } = booking;
  const { bookings } = person.client;
  const click = (call: () => Promise<{ booking?: Booking | undefined }>) => () => attempt(async () => person.hold([(await call()).booking]));
  const toggle = (other: keyof typeof forms) => () => setForm(form === other ? undefined : other);
  const buttons: Readonly<Record<number, { label: string; act: () => unknown; opens?: keyof typeof forms }>> = {
    [BookingAction.CONFIRM]: { label: "Confirm", act: click(() => bookings.confirmBooking({ id, etag })) },
    [BookingAction.COMPLETE]: { label: "Took place", act: click(() => bookings.completeBooking({ id, etag })) },
    [BookingAction.MARK_NO_SHOW]: { label: "Did not come", act: click(() => bookings.markBookingNoShow({ id, etag })) },
    [BookingAction.RESCHEDULE]: { label: "Move", act: toggle("move"), opens: "move" },
    [BookingAction.CANCEL]: { label: "Cancel", act: toggle("cancel"), opens: "cancel" },
  };
  const done = () => {
    if (open.current !== form) return; // another form was opened before the answer came
    focusOpener(card.current!);
    setForm(undefined);
  };
  const shown = booking.allowedActions.map((action) => buttons[action]).filter((button) => button !== undefined);
  const Form = form && forms[form];
  return (
    <li class={`booking ${BookingStatus[booking.status]!.toLowerCase()}`} ref={card} tabIndex={-1}>
      <p class="facts">
        <strong>
          <time dateTime={start(booking).toISOString()}>{clock(start(booking))}</time> – {clock(end(booking))}
        </strong>{" "}
        {person.role === "customer" ? `with ${booking.providerId}` : booking.customerId}
        <span class="status">{statusWords[booking.status]}</span>
      </p>
      {booking.note && <p class="note">{booking.note}</p>}
      <p class="quiet">{details(booking)}</p>
      <div class="buttons">
        {[...shown, { label: "Note", act: toggle("note"), opens: "note" as const }].map(({ label, act, opens }) => (
          <button key={label} type="button" aria-disabled={busy} aria-expanded={opens && form === opens} onClick={() => void act()}>
            {label}
          </button>
        ))}
      </div>
      <Wrong text={problem.text} />
      {Form && <Form person={person} booking={booking} onDone={done} />}
    </li>
  );
}

function details({ reminder, cancellation, version }: Booking): string {
  const parts = [`version ${version}`];
  if (cancellation?.reason) parts.unshift(`reason: ${cancellation.reason}`);
  if (reminder?.state === ReminderState.SCHEDULED) parts.push(`reminder at ${clock(timestampDate(reminder.dueTime!))}`);
  if (reminder?.state === ReminderState.SENT) parts.push("reminded");
  return parts.join(" · ");
}
