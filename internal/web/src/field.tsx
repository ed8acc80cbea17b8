import type { AriaAttributes, ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Problem } from "./words.js";

interface FieldProps {
  readonly label: string;
  /** The field's name in the API, by which its problem is found. */
  readonly name: string;
  readonly problem: Problem;
  readonly children: (attributes: { id: string; name: string } & AriaAttributes) => ComponentChildren;
}

/** A field with its label, and what is wrong with it in words. */
export function Field({ label, name, problem, children }: FieldProps) {
  const [id] = useState(nextID);
  const wrong = problem.fields[name];
  const attributes = wrong ? { "aria-invalid": true, "aria-describedby": `${id}-wrong` } : {};
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, name, ...attributes })}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}

let ids = 0;

/** Not Preact's useId: it gives fields that come later the ids of others that are there. */
function nextID(): string {
  return `field-${++ids}`;
}

/** What is wrong with a call as a whole. */
export function Wrong({ text }: { text: string }) {
  return text === "" ? null : (
    <p class="wrong" role="alert">
      {text}
    </p>
  );
}
