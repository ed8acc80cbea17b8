import { changed } from "./changes.js";
import { learnTime } from "./server-time.js";
import type { Identity } from "./token.js";

/** A call as it went over the line, and what was answered. */
export interface Call {
  readonly number: number;
  readonly caller: Identity;
  /** Such as CreateBooking. */
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly request: object;
  /** Missing as long as there is none; an error's text where none came. */
  answer?: Answer | string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where it is no JSON: then it is none of the server's. */
  readonly body: unknown;
}

const mostKept = 80;

/** The calls that were made, the newest first. */
export const calls: Call[] = [];

/** Whether a person asked for it: the page reads much by itself. */
export function isAction(call: Call): boolean {
  return !/^(Get|List)/.test(call.method);
}

/** The number of the call that is looked at; the newest is where there is none. */
export const looking: { at?: number } = {};

export function lookAt(call: Call): void {
  looking.at = call.number;
  changed();
}

/** fetch, with a record of what it does. */
export function recorded(caller: Identity): typeof fetch {
  return async (input, init) => {
    const call = await describe(caller, new Request(input, init));
    if (isAction(call)) follow(call);
    calls.unshift(call);
    calls.length = Math.min(calls.length, mostKept);
    try {
      const response = await fetch(input, init);
      learnTime(response);
      // A proxy's own answer need not be JSON: what the call comes to is not for its record to decide.
      const body = await response.clone().json().catch(() => undefined);
      call.answer = { status: response.status, headers: response.headers, body };
      return response;
    } catch (error) {
      call.answer = String(error);
      throw error;
    } finally {
      changed();
    }
  };
}

/** Goes on to a new call of a person, unless one was chosen that is older than their last. */
function follow(call: Call): void {
  const last = calls.find(isAction);
  const old = calls.some(({ number }) => number === looking.at && number < (last?.number ?? 0));
  if (!old) looking.at = call.number;
}

let made = 0;

async function describe(caller: Identity, request: Request): Promise<Call> {
  const method = request.url.split("/").pop()!;
  return { number: ++made, caller, method, url: request.url, headers: request.headers, request: await request.json() };
}
