import { clock } from "./day.js";
import type { Entry, LineState, Person } from "./person.js";

/** A person's feed, as it comes, with its numbers. */
export function FeedList({ person }: { person: Person }) {
  const whole = person.line.whole;
  return (
    <section class="feed" aria-label={`Feed of ${person.id}`}>
      <h3>Feed</h3>
      <p class={`line ${whole ? person.state.is : "lost"}`} role="status">
        {lineInWords(whole, person.state)}
        {person.place !== undefined && `, at number ${person.place}`}
      </p>
      <button type="button" onClick={() => (whole ? person.line.cut() : person.line.mend())}>
        {whole ? "Cut the line" : "Mend the line"}
      </button>
      <ol aria-label="Events, the newest first" aria-live="polite" aria-relevant="additions" tabIndex={0}>
        {person.entries.map((entry) => (
          <Row key={entry.id} entry={entry} />
        ))}
      </ol>
      {person.entries.length === 0 && <p class="quiet">What happens from now on is shown here.</p>}
    </section>
  );
}

function Row({ entry }: { entry: Entry }) {
  return (
    <li class={entry.replayed ? "entry replayed" : "entry"}>
      <span class="number">{String(entry.number)}</span>
      <span>
        {entry.words} <small>{entry.type}</small>
        {entry.replayed && <small class="tag">replayed</small>}
      </span>
      <time dateTime={entry.time.toISOString()}>{clock(entry.time)}</time>
    </li>
  );
}

function lineInWords(whole: boolean, state: LineState): string {
  if (!whole) return "The line is cut";
  if (state.is === "connecting") return "Connecting";
  if (state.is === "open") return "Live";
  return `No line (${state.why})${state.is === "lost" ? ", trying again" : ""}`;
}
