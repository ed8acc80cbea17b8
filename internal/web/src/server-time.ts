/** A server's clock and its database's may differ a little, and answers name whole seconds. */
const margin = 1_000;

/** By how much this machine's clock is ahead of the server's, at most. */
let ahead = 0;

/** Learns the server's time from an answer: a page's own may be wrong by hours. */
export function learnTime({ headers }: Response): void {
  const date = Date.parse(headers.get("Date") ?? "");
  if (!Number.isNaN(date)) ahead = Date.now() - date + margin;
}

/** What has come for the server, too: its own clock shows this or a little more. */
export function serverTime(): number {
  return Date.now() - ahead;
}
