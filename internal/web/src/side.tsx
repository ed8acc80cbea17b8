import { Agenda } from "./agenda.js";
import { LastCall } from "./last-call.js";
import { FeedList } from "./feed-list.js";
import { Wrong } from "./field.js";
import type { Role } from "./token.js";
import { WhoForm } from "./who-form.js";
import { world } from "./world.js";

/** One of the two people, with all that they see. */
export function Side({ role }: { role: Role }) {
  const person = world[role];
  return (
    <section class={`side ${role}`} aria-labelledby={`${role}-name`}>
      <h2 id={`${role}-name`}>
        {person?.id ?? "Nobody yet"} <small>the {role}</small>
      </h2>
      <WhoForm role={role} person={person} />
      {person && (
        <>
          <Wrong text={person.trouble} />
          <Agenda key={`${person.id} ${Number(world.day)}`} person={person} />
          <LastCall person={person} />
          <FeedList person={person} />
        </>
      )}
    </section>
  );
}
