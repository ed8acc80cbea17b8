import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed, type Lost, type Socket } from "@bookings/client";

/** A server that is not there. */
class Refused implements Socket {
  readonly readyState = 3;
  addEventListener(type: string, listener: (event: never) => void): void {
    if (type === "close") setImmediate(() => listener({ code: 1006, reason: "refused" } as never));
  }
  send(): void {}
  close(): void {}
}

test("tries are a random time apart, below a bound that doubles up to 30 seconds", async (t) => {
  const chance = 0.5;
  const waits: number[] = [];
  t.mock.method(Math, "random", () => chance);
  t.mock.method(globalThis, "setTimeout", (then: () => void, milliseconds: number) => {
    const forOpening = 10_000;
    if (milliseconds === forOpening) return undefined;
    waits.push(milliseconds);
    return setImmediate(then);
  });
  const lost: Lost[] = [];
  const feed = new Feed({
    baseUrl: "http://localhost",
    getToken: () => "x",
    webSocket: Refused,
    onLost: (loss) => void (lost.push(loss) === 8 && feed.close()),
  });
  for await (const event of feed) assert.fail(`an event: ${event.id}`);
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30].map((bound) => bound * 1_000 * chance));
  assert.deepEqual(new Set(lost.map(({ reason }) => reason)), new Set(["refused"]));
});
