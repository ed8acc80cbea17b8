import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { BookingsError, BookingStatus, createClient, timestampDate, timestampFromDate, type Bookings, type TokenRequest } from "@bookings/client";
import { Server, token } from "./support/server.js";
import { database } from "./support/database.js";
import { World } from "./support/world.js";

const hour = 3_600_000;
const slot = (hours: number) => ({
  startTime: timestampFromDate(new Date(Date.now() + hours * hour)),
  endTime: timestampFromDate(new Date(Date.now() + (hours + 1) * hour)),
});

/** A fetch whose first answers are lost on their way, after the server has done what they tell of. */
function losing(count: number): { fetch: typeof fetch; calls: Request[] } {
  const calls: Request[] = [];
  return {
    calls,
    fetch: async (input, init) => {
      calls.push(new Request(input, init));
      const response = await fetch(input, init);
      if (calls.length > count) return response;
      await response.arrayBuffer();
      throw new TypeError("fetch failed");
    },
  };
}

async function failure(call: Promise<unknown>): Promise<BookingsError> {
  const error = await call.then(() => undefined, (error) => error);
  assert.ok(error instanceof BookingsError, `it ended with ${error}`);
  return error;
}

describe("calls", { concurrency: true }, () => {
  const each = (guarantee: string, run: (world: World, client: (options?: object) => Bookings) => Promise<void>) =>
    test(guarantee, async (t) => {
      const world = await World.make();
      t.after(() => world.end());
      const options = { baseUrl: world.line.url, getToken: () => world.benToken, retry: { first: 1, most: 1 } };
      await run(world, (others) => createClient({ ...options, ...others }));
    });

  each("a create whose answer is lost books once, by the one key of all its tries", async (_, client) => {
    const { fetch, calls } = losing(2);
    const { booking } = await client({ fetch }).bookings.createBooking({ customerId: "anna", ...slot(30) });
    assert.equal(booking?.status, BookingStatus.CONFIRMED);
    const keys = new Set(calls.map(({ headers }) => headers.get("Idempotency-Key")));
    assert.deepEqual([calls.length, keys.size, keys.has(null)], [3, 1, false]);
    const { bookings } = await client().bookings.listBookings({});
    assert.deepEqual(bookings.map(({ id }) => id), [booking?.id]);
  });

  each("two creates have two keys, and a caller's own key is left alone", async (_, client) => {
    const { fetch, calls } = losing(0);
    const { bookings } = client({ fetch });
    for (const hours of [30, 40]) await bookings.createBooking({ customerId: "anna", ...slot(hours) });
    await bookings.createBooking({ customerId: "anna", ...slot(50), idempotencyKey: "mine" });
    const keys = calls.map(({ headers }) => headers.get("Idempotency-Key"));
    assert.equal(new Set(keys).size, 3);
    assert.equal(keys[2], null);
  });

  each("a change that could undo another's is tried once, with an etag again", async (world, client) => {
    const id = await world.book();
    const { fetch, calls } = losing(1);
    const { bookings } = client({ fetch });
    const lost = await failure(bookings.updateBooking({ id, note: "a" }));
    assert.deepEqual([lost.code, lost.reason, calls.length], [Code.Unavailable, "", 1]);
    const again = losing(1);
    const { booking } = await bookings.getBooking({ id });
    const changed = await client(again).bookings.updateBooking({ id, note: "b", etag: booking!.etag });
    assert.deepEqual([changed.booking?.note, again.calls.length], ["b", 2]);
  });

  each("times go in as dates and come back the same", async (_, client) => {
    const [start, end] = [new Date(Date.now() + 30 * hour), new Date(Date.now() + 31 * hour)];
    const times = { startTime: timestampFromDate(start), endTime: timestampFromDate(end) };
    const { booking } = await client().bookings.createBooking({ customerId: "anna", ...times });
    assert.deepEqual([booking!.startTime!, booking!.endTime!].map(timestampDate), [start, end]);
  });

  each("an error has its reason, and the fields at fault", async (_, client) => {
    const { bookings } = client();
    const taken = slot(30);
    await bookings.createBooking({ customerId: "anna", ...taken });
    const conflict = await failure(bookings.createBooking({ customerId: "carl", ...taken }));
    assert.deepEqual([conflict.code, conflict.reason], [Code.AlreadyExists, "SLOT_TAKEN"]);
    assert.match(conflict.requestId ?? "", /./);
    const invalid = await failure(bookings.createBooking({ customerId: "anna", note: "x".repeat(1_001), ...slot(40) }));
    assert.equal(invalid.reason, "VALIDATION_FAILED");
    assert.deepEqual(invalid.fields.map(({ field }) => field), ["note"]);
    const missed = await failure(client().events.listEvents({ afterSequence: 99n }));
    assert.deepEqual([missed.reason, missed.facts.head], ["SEQUENCE_OUT_OF_RANGE", "1"]);
  });

  each("a stream's error has its reason, too", async (_, client) => {
    const read = async () => {
      for await (const _ of client().events.streamEvents({ afterSequence: 99n }));
    };
    assert.equal((await failure(read())).reason, "SEQUENCE_OUT_OF_RANGE");
  });

  each("a token that is refused is asked for anew, once", async (world, client) => {
    const asked: TokenRequest[] = [];
    const getToken = (request: TokenRequest) => (asked.push(request), request.fresh ? world.benToken : "x.y.z");
    await client({ getToken }).bookings.listBookings({});
    assert.deepEqual(asked, [{ fresh: false }, { fresh: true }]);
    const refused = await failure(client({ getToken: () => "x.y.z" }).bookings.listBookings({}));
    assert.equal(refused.reason, "TOKEN_INVALID");
  });

  each("where getToken fails a call fails at once, unsent, and its error is the cause", async (_, client) => {
    const away = new TypeError("the sign-in is away");
    const { fetch, calls } = losing(0);
    let asked = 0;
    const getToken = () => (asked++, Promise.reject(away));
    const { bookings, events } = client({ fetch, getToken });
    const stream = async () => {
      for await (const _ of events.streamEvents({})) assert.fail("an event");
    };
    for (const call of [bookings.listBookings({}), bookings.createBooking({ customerId: "anna", ...slot(30) }), stream()]) {
      const { code, reason, cause, rawMessage } = await failure(call);
      assert.deepEqual([code, reason, cause], [Code.Unauthenticated, "", away]);
      assert.match(rawMessage, /^no token: .*the sign-in is away$/);
    }
    assert.deepEqual([asked, calls.length], [3, 0]);
  });

  each("where there is no fresh token after a refusal, that is the error", async (_, client) => {
    const over = new Error("the session is over");
    const asked: TokenRequest[] = [];
    const getToken = (request: TokenRequest) => (asked.push(request), request.fresh ? Promise.reject(over) : "x.y.z");
    assert.equal((await failure(client({ getToken }).bookings.listBookings({}))).cause, over);
    assert.deepEqual(asked, [{ fresh: false }, { fresh: true }]);
  });

  each("a call that is aborted is not tried again", async (_, client) => {
    const abort = new AbortController();
    const { fetch, calls } = losing(9);
    const aborting: typeof fetch = (...request) => (abort.abort(), fetch(...request));
    const call = client({ fetch: aborting }).bookings.listBookings({}, { signal: abort.signal });
    const error = await call.catch(BookingsError.of);
    assert.ok(error instanceof BookingsError);
    assert.deepEqual([error.code, calls.length], [Code.Canceled, 1]);
  });

  test("a call over the limit waits as long as the server says", async (t) => {
    const server = await Server.start(await database(), { RATE_LIMIT_RPM: "60" });
    t.after(() => server.kill());
    const ben = await token("provider", "ben");
    const { bookings } = createClient({ baseUrl: `http://127.0.0.1:${server.port}`, getToken: () => ben });
    const answers = await Promise.all(Array.from({ length: 61 }, () => bookings.listBookings({})));
    assert.equal(answers.length, 61);
  });
});
