/** How long is waited before it is tried again: a random time below a bound that doubles. */
export interface BackoffOptions {
  /** The first bound, in milliseconds: 1,000 by default. */
  readonly first?: number | undefined;
  /** The highest bound: 30,000 by default. */
  readonly most?: number | undefined;
}

/** Full jitter: those who were cut off together do not come back together. */
export class Backoff {
  #tries = 0;
  readonly #first: number;
  readonly #most: number;

  constructor({ first = 1_000, most = 30_000 }: BackoffOptions = {}) {
    this.#first = first;
    this.#most = most;
  }

  next(): number {
    const bound = Math.min(this.#most, this.#first * 2 ** this.#tries++);
    return Math.random() * bound;
  }

  reset(): void {
    this.#tries = 0;
  }
}

/** Waits, or returns at once when the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
