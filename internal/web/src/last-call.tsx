import { calls, isAction, lookAt } from "./calls.js";
import { outcome } from "./calls-panel.js";
import type { Person } from "./person.js";

/** The call behind a person's last click, and the way to it. */
export function LastCall({ person }: { person: Person }) {
  const call = calls.find((each) => each.caller === person.identity && isAction(each));
  if (call === undefined) return null;
  return (
    <p class="quiet">
      Last call: {call.method}, {outcome(call.answer)}.{" "}
      <a href="#calls" onClick={() => lookAt(call)}>
        See it
      </a>
    </p>
  );
}
