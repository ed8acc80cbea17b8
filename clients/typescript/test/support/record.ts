import assert from "node:assert/strict";
import type { FeedEvent, Lost, Reset } from "@bookings/client";

/** What a reader has seen, in order; tests wait for it. */
export class Record {
  readonly events: FeedEvent[] = [];
  readonly resets: Reset[] = [];
  readonly lost: Lost[] = [];
  connected = 0;
  /** Set when the loop has ended: "" or its error. */
  ended: string | undefined;
  readonly #waiting = new Set<() => void>();

  event(event: FeedEvent): void {
    this.events.push(event);
    this.#changed();
  }

  reset(reset: Reset): void {
    this.resets.push(reset);
    this.#changed();
  }

  onLost(lost: Lost): void {
    this.lost.push(lost);
    this.#changed();
  }

  onConnected(): void {
    this.connected++;
    this.#changed();
  }

  end(error: string): void {
    this.ended = error;
    this.#changed();
  }

  /** Waits until something holds; says what was there if it does not come. */
  async until(what: string, holds: (record: this) => boolean): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!holds(this)) {
      const left = deadline - performance.now();
      assert.ok(left > 0 && (this.ended ?? "") === "", `${what} did not come: ${JSON.stringify(this)}`);
      await this.#change(left);
    }
  }

  /** Waits for events with these types, and holds that nothing else came: no gap, nothing twice. */
  async wants(first: number, ...types: string[]): Promise<void> {
    await this.until(`${types.length} events`, () => this.events.length >= types.length);
    const seen = this.events.map(({ sequence, type }) => `${Number(sequence)} ${type}`);
    assert.deepEqual(seen, types.map((type, index) => `${first + index} ${type}`));
  }

  #change(within: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, within);
      this.#waiting.add(wake);
    });
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** Waits until something holds that tells nobody. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
