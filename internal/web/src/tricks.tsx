import { cut } from "./cut.js";
import { race } from "./race.js";
import { retry } from "./retry.js";
import type { Step, Trick } from "./trick.js";
import { both } from "./world.js";

/** What only a backend like this can show. */
export function Tricks() {
  return (
    <section class="tricks" aria-label="Things to try">
      {[race, cut, retry].map((trick) => (
        <TrickCard key={trick.name} trick={trick} />
      ))}
    </section>
  );
}

function TrickCard({ trick }: { trick: Trick }) {
  const ready = both();
  return (
    <article class="trick">
      <h2>{trick.name}</h2>
      <p>{trick.promise}</p>
      <button type="button" class="main" disabled={!ready} aria-disabled={trick.running} onClick={() => ready && void trick.run(ready)}>
        {trick.running ? "Running" : trick.name}
      </button>
      <div role="status">
        <ol>
          {trick.steps.map((step, i) => (
            <StepRow key={i} step={step} />
          ))}
        </ol>
      </div>
    </article>
  );
}

function StepRow({ step: { text, kept, outcomes } }: { step: Step }) {
  return (
    <li class={kept === undefined ? "" : kept ? "kept" : "broken"}>
      {text}
      {kept === false && <strong> That is not what was promised.</strong>}
      {outcomes && (
        <ul class="outcomes">
          {outcomes.map((outcome, i) => (
            <li key={i} class={outcome.endsWith("won") ? "won" : ""}>
              {outcome}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
