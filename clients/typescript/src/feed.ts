import { Backoff, pause, type BackoffOptions } from "./backoff.js";
import { Connection, unauthorized, type Lost } from "./connection.js";
import { follows, placeOf, type FeedEvent, type Ready } from "./event.js";
import { isPlace, memoryPlace, type Place, type PlaceStore } from "./place.js";
import { ownSocket, protocols, socketURL, type SocketConstructor } from "./socket.js";
import type { GetToken } from "./token.js";

/** The feed goes on from its newest entry, not from where you are. */
export interface Reset {
  /** There was no place to go on from; else the feed does not have that place any more. */
  readonly first: boolean;
  /** The newest entry: events that follow come after it. */
  readonly head: Place;
}

/** A line is there, and with it the feed's state at that moment. */
export interface Connected {
  /** It goes on from your place: what follows up to the head has happened meanwhile. */
  readonly resumed: boolean;
  /** The newest entry. */
  readonly head: Place;
}

export interface FeedOptions {
  readonly baseUrl: string;
  readonly getToken: GetToken;
  /** Keeps the place: memoryPlace() by default. */
  readonly store?: PlaceStore | undefined;
  /** Where to begin when the store has no place; `{sequence: "0", id: ""}` is the beginning. Without it: now. */
  readonly start?: Place | undefined;
  /** List your bookings here. What happens meanwhile comes afterwards, as events. */
  readonly onReset?: ((reset: Reset) => void | Promise<void>) | undefined;
  /** The line is there. */
  readonly onConnected?: ((connected: Connected) => void) | undefined;
  /** The line, or a try to get one, was lost. The feed comes back by itself. */
  readonly onLost?: ((lost: Lost) => void) | undefined;
  /** The constructor to use where there is no global WebSocket. */
  readonly webSocket?: SocketConstructor | undefined;
  /** Ends the feed, as close does. */
  readonly signal?: AbortSignal | undefined;
  readonly backoff?: BackoffOptions | undefined;
}

/** A line that held for so long was a good one: the next loss begins with short waits again. */
const goodLine = 10_000;

/**
 * What happens to one user's bookings, in order, each event once, whatever
 * happens to the line.
 *
 *     for await (const event of feed) show(event);
 *
 * An event counts as handled when the loop asks for the next one; then its place is kept.
 */
export class Feed implements AsyncIterable<FeedEvent> {
  readonly #options: FeedOptions;
  readonly #store: PlaceStore;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  #refused = false;
  #reading = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#store = options.store ?? memoryPlace();
    this.#backoff = new Backoff(options.backoff);
    this.#closing.signal.addEventListener("abort", () => this.#connection?.end(""));
  }

  /** Ends the loop, without an error, and the connection. */
  close(): void {
    this.#closing.abort();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedEvent, void, undefined> {
    if (this.#reading) throw new Error("this feed is being read already: make another for a second reader");
    this.#reading = true;
    const close = () => this.close();
    this.#options.signal?.addEventListener("abort", close);
    if (this.#options.signal?.aborted) this.close();
    try {
      yield* this.#read();
    } finally {
      this.#options.signal?.removeEventListener("abort", close);
      this.#connection?.end("");
      this.#reading = false;
    }
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async *#read(): AsyncGenerator<FeedEvent, void, undefined> {
    let place = await this.#firstPlace();
    while (!this.#closed) {
      const connection = await this.#connect(place);
      for (let frame; (frame = await connection?.next()) !== undefined && !this.#closed; ) {
        if (frame.type === "stream.ready") {
          place = await this.#open(frame, place);
        } else if (place !== undefined && follows(place, frame)) {
          yield frame;
          place = placeOf(frame);
          await this.#store.save(place);
        } else {
          connection!.end(`event ${frame.sequence} does not follow on ${place?.sequence}`);
          break;
        }
      }
      await this.#recover(connection);
    }
  }

  async #firstPlace(): Promise<Place | undefined> {
    const kept = await this.#store.load();
    return isPlace(kept) ? kept : this.#options.start;
  }

  /** Undefined where there is no token to be had. */
  async #connect(after: Place | undefined): Promise<Connection | undefined> {
    const { baseUrl, getToken, webSocket = ownSocket() } = this.#options;
    let token: string;
    try {
      token = await getToken({ fresh: this.#refused });
    } catch (error) {
      this.#options.onLost?.({ code: 0, reason: `no token: ${error}` });
      return undefined;
    }
    if (this.#closed) return undefined;
    return (this.#connection = new Connection(new webSocket(socketURL(baseUrl, after), protocols(token)), getToken));
  }

  /** Where the feed goes on: where we are, or after its head. */
  async #open(ready: Ready, place: Place | undefined): Promise<Place> {
    this.#refused = false;
    const head = placeOf(ready.data);
    const resumed = place !== undefined && ready.data.resumed;
    this.#options.onConnected?.({ resumed, head });
    if (resumed) return place;
    await this.#options.onReset?.({ first: place === undefined, head });
    await this.#store.save(head);
    return head;
  }

  /** Waits until it is time to connect again. */
  async #recover(connection: Connection | undefined): Promise<void> {
    if (this.#closed) return;
    const lost = connection?.lost;
    if (lost !== undefined) this.#options.onLost?.(lost);
    const opened = connection?.readyAt;
    if (opened !== undefined && performance.now() - opened > goodLine) this.#backoff.reset();
    if (lost !== undefined) this.#refused = lost.code === unauthorized;
    // A token that was good and ran out, or a reader that fell behind: nothing is wrong with the server.
    const wait = connection?.overfull || (this.#refused && opened !== undefined) ? 0 : this.#backoff.next();
    await pause(wait, this.#closing.signal);
  }
}
