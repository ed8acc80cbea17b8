import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Feed, memoryPlace, type FeedEvent, type PlaceStore } from "@bookings/client";
import WebSocket from "ws";
import { World } from "./support/world.js";

const beginning = { sequence: "0", id: "" };

describe("the place of a feed", { concurrency: true }, () => {
  const each = (guarantee: string, run: (feed: (signal?: AbortSignal) => Feed, store: PlaceStore, world: World) => Promise<void>) =>
    test(guarantee, async (t) => {
      const world = await World.make();
      t.after(() => world.end());
      for (let count = 0; count < 3; count++) await world.book();
      const store = memoryPlace();
      await run((signal) => world.ben.feed({ store, start: beginning, webSocket: WebSocket, signal }), store, world);
    });

  each("is kept once the loop asks for the next event, so that no event is lost with its handler", async (feed, store) => {
    await assert.rejects(take(feed(), 2, new Error("the handler fails")), /the handler fails/);
    assert.equal(Number((await store.load())!.sequence), 1);
    const again = await take(feed(), 2);
    assert.deepEqual(again.map(({ sequence }) => Number(sequence)), [2, 3]);
  });

  each("after a break the loop can be entered again, and begins with the event that was broken off at", async (feed) => {
    const one = feed();
    assert.deepEqual((await take(one, 2)).map(({ sequence }) => Number(sequence)), [1, 2]);
    assert.deepEqual((await take(one, 2)).map(({ sequence }) => Number(sequence)), [2, 3]);
  });

  each("an abort ends the loop without an error", async (feed) => {
    const abort = new AbortController();
    const seen: FeedEvent[] = [];
    for await (const event of feed(abort.signal)) {
      if (seen.push(event) === 3) setImmediate(() => abort.abort());
    }
    assert.equal(seen.length, 3);
    assert.deepEqual(await take(feed(abort.signal), 1), [], "a signal that is aborted already");
  });

  each("a place that cannot be read is none", async (_, __, world) => {
    const feed = new Feed({
      baseUrl: world.line.url,
      getToken: () => world.benToken,
      webSocket: WebSocket,
      store: { load: () => ({ sequence: "twelve", id: "?" }), save: () => {} },
      onReset: async ({ first, head }) => {
        assert.deepEqual([first, Number(head.sequence)], [true, 3]);
        await world.book(); // while the bookings are listed
      },
    });
    assert.deepEqual((await take(feed, 1)).map(({ sequence }) => Number(sequence)), [4]);
  });

  each("an error of onReset ends the loop", async (_, __, world) => {
    const onReset = () => Promise.reject(new Error("the list cannot be read"));
    await assert.rejects(take(world.ben.feed({ webSocket: WebSocket, onReset }), 1), /the list cannot be read/);
  });
});

/** The next events; then the loop is left by a break, or by an error. */
async function take(feed: Feed, count: number, error?: Error): Promise<FeedEvent[]> {
  const events: FeedEvent[] = [];
  for await (const event of feed) {
    if (events.push(event) < count) continue;
    if (error) throw error;
    break;
  }
  return events;
}
