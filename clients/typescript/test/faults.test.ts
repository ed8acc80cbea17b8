import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { Feed } from "@bookings/client";
import WebSocket, { WebSocketServer } from "ws";
import { openInNode, type Reader } from "./support/reader.js";
import { eventually } from "./support/record.js";

// What the real server never does, or not within a test's time: a peer that
// says what the test wants.

const id = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`;

function ready(data: object = {}): object {
  const terms = { sequence: "0", id: "", resumed: true, expiresAt: "2030-01-01T01:00:00Z", pingInterval: 25, ...data };
  return { type: "stream.ready", time: "2030-01-01T00:00:00Z", data: terms };
}

function event(number: number, previous = number - 1): object {
  return {
    type: "booking.created",
    sequence: String(number).padStart(19, "0"),
    id: id(number),
    previousid: previous === 0 ? "" : id(previous),
  };
}

type Script = (peer: WebSocket, say: (...frames: object[]) => void) => void;

/** A peer whose nth connection goes by the nth script; further ones by the last. */
async function serve(t: TestContext, ...scripts: Script[]): Promise<{ url: string; asked: string[]; heard: string[] }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const heard: string[] = [];
  server.on("connection", (peer, request) => {
    peer.on("message", (text) => heard.push(JSON.parse(String(text)).type));
    const script = scripts[Math.min(asked.push(request.url!), scripts.length) - 1]!;
    script(peer, (...frames) => frames.forEach((frame) => peer.send(JSON.stringify(frame))));
  });
  await new Promise((resolve) => server.on("listening", resolve));
  t.after(() => {
    for (const peer of server.clients) peer.terminate();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, heard };
}

/** Reads from the beginning of such a peer's feed. */
async function readFrom(t: TestContext, ...scripts: Script[]): Promise<Reader & { asked: string[]; heard: string[] }> {
  const { url, asked, heard } = await serve(t, ...scripts);
  const reader = await openInNode({ baseUrl: url, getToken: () => "x", start: beginning });
  t.after(() => reader.close());
  return { ...reader, asked, heard };
}

const beginning = { sequence: "0", id: "" };
const fromSecond = `/ws?after=${"2".padStart(19, "0")}&after_id=${id(2)}`;

describe("a feed whose peer does wrong", { concurrency: true }, () => {
  const wrongs = {
    "leaves one out": event(4, 3),
    "says one again": event(2),
    "goes back": event(1),
    "misnumbers one": event(4, 2),
    "has another history": event(3, 9),
  };
  for (const [wrong, frame] of Object.entries(wrongs)) {
    test(`where it ${wrong}, the feed comes back from its place and hands on nothing wrong`, async (t) => {
      const { record, asked } = await readFrom(
        t,
        (_, say) => say(ready(), event(1), event(2), frame),
        (_, say) => say(ready(), event(3)),
      );
      await record.until("three events", ({ events }) => events.length >= 3);
      assert.deepEqual(record.events.map(({ id }) => id), [id(1), id(2), id(3)]);
      assert.deepEqual(asked, ["/ws?after=0", fromSecond]);
    });
  }

  test("what is no frame ends the connection, not the program", async (t) => {
    const { record } = await readFrom(
      t,
      (peer, say) => (say(ready()), peer.send("<html>")),
      (_, say) => say(ready(), event(1)),
    );
    await record.until("an event", ({ events }) => events.length === 1);
    assert.equal(record.lost[0]?.reason, "what came is no frame");
  });

  for (const code of [1001, 1011, 4408, 4410]) {
    test(`after ${code} it comes back from its place`, async (t) => {
      const { record, asked } = await readFrom(
        t,
        (peer, say) => (say(ready(), event(1), event(2)), peer.close(code)),
        (_, say) => say(ready(), event(3)),
      );
      await record.until("three events", ({ events }) => events.length >= 3);
      assert.deepEqual([record.lost[0]?.code, asked[1]], [code, fromSecond]);
    });
  }

  test("where getToken fails the feed asks again, as often as it takes, and tells why", async (t) => {
    const { url } = await serve(t, (_, say) => say(ready(), event(1)));
    let asked = 0;
    const getToken = () => (++asked <= 5 ? Promise.reject(new Error("the sign-in is away")) : "x");
    const { record, close } = await openInNode({ baseUrl: url, getToken, start: beginning });
    t.after(close);
    await record.until("an event", ({ events }) => events.length === 1);
    const lost = { code: 0, reason: "no token: Error: the sign-in is away" };
    assert.deepEqual(record.lost, Array(5).fill(lost));
  });

  test("where it falls silent, it is asked for a sign of life and then given up", async (t) => {
    const { record, heard } = await readFrom(
        t,
      (_, say) => say(ready({ pingInterval: 0.05 })),
      (_, say) => say(ready(), event(1)),
    );
    await record.until("an event", ({ events }) => events.length >= 1);
    assert.deepEqual(heard, ["ping"]);
    assert.equal(record.lost[0]?.reason, "nothing was heard for too long");
  });

  test("a token that getToken has no newer one for is shown anew once, not faster and faster", async (t) => {
    const at = (milliseconds: number) => new Date(Date.UTC(2030) + milliseconds).toISOString();
    const terms = { expiresAt: at(100), pingInterval: 0.2 };
    const { heard } = await readFrom(t, (peer, say) => {
      peer.on("message", () => say({ ...ready(terms), time: at(80) }));
      say({ ...ready(terms), time: at(0) });
    });
    await eventually("a ping, after the expiry", () => heard.includes("ping"));
    assert.deepEqual(heard.filter((type) => type !== "ping"), ["authenticate"]);
  });

  test("one that answers is not given up, however silent", async (t) => {
    const pong = JSON.stringify({ type: "stream.pong" });
    const { record, heard } = await readFrom(t, (peer, say) => {
      peer.on("message", () => peer.send(pong));
      say(ready({ pingInterval: 1 }));
    });
    await eventually("two pings", () => heard.length >= 2);
    assert.deepEqual(record.lost, []);
  });

  test("where it sends more than is read, the rest is fetched later, and nothing is lost", async (t) => {
    const many = 2_500;
    let givenUp = () => {};
    const overfull = new Promise<void>((resolve) => (givenUp = resolve));
    const { url, asked } = await serve(t, (peer, say) => {
      peer.on("close", givenUp);
      const after = Number(new URL(asked.at(-1)!, url).searchParams.get("after"));
      say(ready(), ...Array.from({ length: many - after }, (_, index) => event(after + index + 1)));
    });
    const seen: number[] = [];
    for await (const { sequence } of new Feed({ baseUrl: url, getToken: () => "x", webSocket: WebSocket, start: beginning })) {
      await overfull; // a slow handler
      if (seen.push(Number(sequence)) === many) break;
    }
    assert.deepEqual(seen, Array.from({ length: many }, (_, index) => index + 1));
    assert.ok(asked.length > 1);
  });
});
