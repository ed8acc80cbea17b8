import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { TokenRequest } from "@bookings/client";
import { database } from "./database.js";
import { token } from "./server.js";
import { World } from "./world.js";
import type { OpenReader } from "./reader.js";
import { eventually } from "./record.js";

const created = "booking.created";

/** What a feed keeps wherever it is read, against the real server. */
export function scenarios(open: () => OpenReader): void {
  const each = (guarantee: string, run: (world: World, t: TestContext) => Promise<void>) =>
    test(guarantee, async (t) => {
      const world = await World.make();
      t.after(() => world.end());
      await run(world, t);
    });

  each("what happens while the line is cut comes afterwards, once and in order", async (world) => {
    await world.book();
    const { record } = await world.read(open());
    for (let round = 1; round <= 3; round++) {
      await world.book();
      await record.until("an event", ({ events }) => events.length >= 2 * round - 1);
      world.line.cut();
      await world.book();
      await record.until("another", ({ events }) => events.length >= 2 * round);
    }
    await record.wants(2, ...Array(6).fill(created));
    assert.equal(record.resets.length, 1, "only the first connection has no place to go on from");
    assert.ok(record.lost.length >= 3);
  });

  each("a server that is killed and started again costs no event", async (world) => {
    const { record } = await world.read(open());
    const id = await world.book();
    await record.wants(1, created);
    await world.server.kill();
    await world.startServer();
    await world.ben.bookings.cancelBooking({ id });
    await record.wants(1, created, "booking.cancelled");
  });

  each("a server that stops says goodbye with 1001, and the next one goes on", async (world) => {
    const { record } = await world.read(open());
    await world.book();
    const before = world.server;
    await world.startServer();
    await before.stop();
    await record.until("a goodbye", ({ lost }) => lost.length > 0);
    assert.equal(record.lost[0]?.code, 1001);
    await world.book();
    await record.wants(1, created, created);
  });

  each("a token is renewed before it expires, and the line stays", async (world) => {
    const asked: TokenRequest[] = [];
    const getToken = (request: TokenRequest) => (asked.push(request), token("provider", "ben", "10s"));
    const { record } = await world.read(open(), { getToken });
    await eventually("two renewals", () => asked.length >= 3);
    await world.book();
    await record.wants(1, created);
    assert.deepEqual([asked[0], asked[1]], [{ fresh: false }, { fresh: true }]);
    assert.deepEqual([record.connected, record.lost], [1, []]);
  });

  each("a token that expires unrenewed costs a connection, and no event", async (world) => {
    const away = () => Promise.reject(new Error("the identity provider is away"));
    const answers = [() => token("provider", "ben", "3s"), away, () => world.benToken];
    const asked: TokenRequest[] = [];
    const getToken = (request: TokenRequest) => answers[asked.push(request) - 1]!();
    const { record } = await world.read(open(), { getToken });
    await record.until("another connection", ({ connected }) => connected === 2);
    await world.book();
    await record.wants(1, created);
    assert.deepEqual(record.lost.map(({ code }) => code), [4401]);
    assert.deepEqual(asked.map(({ fresh }) => fresh), [false, true, true]);
  });

  each("after a token that is refused it asks for a fresh one", async (world) => {
    const getToken = ({ fresh }: TokenRequest) => (fresh ? world.benToken : "x.y.z");
    const { record } = await world.read(open(), { getToken });
    await world.book();
    await record.wants(1, created);
    assert.deepEqual(record.lost.map(({ code }) => code), [4401]);
  });

  each("a place that the history no longer has is told by onReset", async (world, t) => {
    await world.book();
    const { record } = await world.read(open(), { start: { sequence: "0", id: "" } });
    await record.wants(1, created);
    assert.equal(record.resets.length, 0);
    await world.server.stop();
    const older = await database(world.databaseURL);
    await world.startServer();
    await world.book();
    await record.wants(1, created, created);
    await world.server.stop();
    t.diagnostic("the database is restored from the older copy, and grows over what was lost");
    await world.startServer(older);
    for (let round = 0; round < 2; round++) await world.book();
    await record.until("a reset", ({ resets }) => resets.length === 1);
    await world.book();
    await record.until("an event of the new history", ({ events }) => events.length > 2);
    const [{ first, head }, next] = [record.resets[0]!, record.events[2]!];
    assert.equal(first, false);
    assert.deepEqual([Number(next.sequence), next.previousid], [Number(head.sequence) + 1, head.id]);
  });

  each("close ends the loop without an error", async (world) => {
    const reader = await world.read(open());
    await reader.close();
    assert.equal(reader.record.ended, "");
  });
}
