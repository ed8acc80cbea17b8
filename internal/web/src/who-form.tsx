import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useAttempt } from "./attempt.js";
import { Field } from "./field.js";
import { focus } from "./focus.js";
import type { Person } from "./person.js";
import { mint, minted, pasted, type Role } from "./token.js";
import type { Problem } from "./words.js";
import { enter } from "./world.js";

/** Who stands on a side: anybody where this server makes tokens, else whose token is pasted. */
export function WhoForm({ role, person }: { role: Role; person: Person | undefined }) {
  return mint === "" ? <PasteForm role={role} person={person} /> : <NameForm role={role} person={person!} />;
}

function NameForm({ role, person }: { role: Role; person: Person }) {
  const [name, setName] = useState(person.id);
  const become = async () => {
    const identity = minted(role, name);
    await identity.getToken({ fresh: true }); // a name that is none is refused here
    enter(identity);
  };
  return (
    <WhoDetails summary="Be somebody else" open={false} act={become}>
      {(problem) => (
        <Field label={`Name of the ${role}`} name="userId" problem={at("userId", problem)}>
          {(attributes) => <input {...attributes} required value={name} onInput={(e) => setName(e.currentTarget.value)} />}
        </Field>
      )}
    </WhoDetails>
  );
}

function PasteForm({ role, person }: { role: Role; person: Person | undefined }) {
  const [text, setText] = useState("");
  const paste = async () => {
    const identity = pasted(text);
    if (identity.role !== role) throw new Error(`This is a token of a ${identity.role}: paste it on the other side.`);
    enter(identity);
    setText("");
  };
  return (
    <WhoDetails summary="Paste a token" open={person === undefined} act={paste}>
      {(problem) => (
        <Field label={`Token of the ${role}; it stays in this page's memory`} name="token" problem={at("token", problem)}>
          {(attributes) => (
            <textarea {...attributes} required rows={3} spellcheck={false} autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} />
          )}
        </Field>
      )}
    </WhoDetails>
  );
}

interface WhoDetailsProps {
  readonly summary: string;
  readonly open: boolean;
  readonly act: () => Promise<void>;
  readonly children: (problem: Problem) => ComponentChildren;
}

function WhoDetails({ summary, open, act, children }: WhoDetailsProps) {
  const { problem, attempt } = useAttempt();
  const details = useRef<HTMLDetailsElement>(null);
  const enterAndClose = async () => {
    await act();
    details.current!.open = false;
    focus(details.current!.querySelector("summary"));
  };
  return (
    <details class="who" open={open} ref={details}>
      <summary>{summary}</summary>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void attempt(enterAndClose);
        }}
      >
        {children(problem)}
        <button type="submit">Enter</button>
      </form>
    </details>
  );
}

/** What is wrong as a whole is wrong with the only field. */
function at(field: string, { text }: Problem): Problem {
  return { fields: text === "" ? {} : { [field]: text }, text: "" };
}
