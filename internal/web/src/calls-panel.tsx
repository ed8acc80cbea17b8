import { useState } from "preact/hooks";
import { calls, isAction, lookAt, looking, type Answer, type Call } from "./calls.js";
import { asCurl, asJSON, asTypeScript, pretty, quoted, variable } from "./spelling.js";

const spellings = { curl: asCurl, TypeScript: asTypeScript, JSON: asJSON };
type Spelling = keyof typeof spellings;

/** The calls that the page has made, to be made again elsewhere. */
export function CallsPanel() {
  const [withReads, setWithReads] = useState(false);
  const shown = calls.filter((call) => withReads || isAction(call));
  const call = shown.find(({ number }) => number === looking.at) ?? shown[0];
  return (
    <section class="calls" id="calls" aria-labelledby="calls-name">
      <h2 id="calls-name">Calls</h2>
      <label class="check">
        <input type="checkbox" checked={withReads} onChange={(e) => setWithReads(e.currentTarget.checked)} /> also those that only read
      </label>
      {call === undefined ? (
        <p class="quiet">Each click that calls the server is shown here, as you would make it yourself.</p>
      ) : (
        <div class="call">
          <ul class="made" aria-label="Calls that were made, the newest first" tabIndex={0}>
            {shown.map((each) => (
              <li key={each.number}>
                <button type="button" aria-pressed={each === call} onClick={() => lookAt(each)}>
                  <span class={`who ${each.caller.role}`}>{each.caller.userId}</span> {each.method} <small>{outcome(each.answer)}</small>
                </button>
              </li>
            ))}
          </ul>
          <Details call={call} />
        </div>
      )}
    </section>
  );
}

function Details({ call }: { call: Call }) {
  const [spelling, spell] = useState<Spelling>("curl");
  return (
    <div class="details">
      <div class="buttons" role="group" aria-label="How the call is shown">
        {(Object.keys(spellings) as Spelling[]).map((name) => (
          <button key={name} type="button" aria-pressed={spelling === name} onClick={() => spell(name)}>
            {name}
          </button>
        ))}
        <CopyButton call={call} spelling={spelling} />
      </div>
      <pre class="request" tabIndex={0} role="group" aria-label="The call">
        {spellings[spelling](call)}
      </pre>
      <h3>Answer</h3>
      <pre class="answer" tabIndex={0} role="group" aria-label="Its answer">
        {typeof call.answer === "object" ? answerText(call.answer) : (call.answer ?? "…")}
      </pre>
    </div>
  );
}

/** For curl with the token's variable set: what is copied works as it is. */
function CopyButton({ call, spelling }: { call: Call; spelling: Spelling }) {
  const secret = spelling === "curl" ? `${variable(call)}=${quoted(call.caller.token)}\n` : "";
  // Browsers have a clipboard for pages on localhost and with TLS alone.
  if (navigator.clipboard === undefined) return null;
  return (
    <button type="button" class="copy" onClick={() => void navigator.clipboard.writeText(secret + spellings[spelling](call))}>
      {secret ? "Copy, with the token" : "Copy"}
    </button>
  );
}

/** How it ended, in a word. */
export function outcome(answer: Answer | string | undefined): string {
  if (answer === undefined) return "…";
  if (typeof answer === "string") return "no answer";
  if (answer.status !== 200) return reason(answer.body) ?? String(answer.status);
  return answer.body === undefined ? "no answer" : "OK";
}

/** Of Connect's error JSON, in which ErrorInfo's debug form stands beside its bytes; a proxy's may be any other. */
function reason(body: unknown): string | undefined {
  const details = (body as { details?: unknown } | null | undefined)?.details;
  if (!Array.isArray(details)) return undefined;
  return (details as { debug?: { reason?: string } }[]).find((detail) => detail?.debug?.reason)?.debug?.reason;
}

const tellingHeaders = ["Idempotent-Replayed", "Retry-After", "RateLimit-Remaining", "X-Request-Id"];

function answerText({ status, headers, body }: Answer): string {
  const lines = tellingHeaders.filter((name) => headers.has(name)).map((name) => `${name}: ${headers.get(name)}`);
  return [`HTTP ${status}`, ...lines, "", body === undefined ? "This is no JSON: something in between has answered." : pretty(body)].join("\n");
}
