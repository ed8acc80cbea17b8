import { isEvent, type FeedEvent, type Frame, type Ready } from "./event.js";
import { Queue } from "./queue.js";
import type { Socket } from "./socket.js";
import type { GetToken } from "./token.js";

/** Why a connection was lost. */
export interface Lost {
  /** WebSocket's close code; 1006 where there was none, 0 where getToken failed. */
  readonly code: number;
  readonly reason: string;
}

/** The close code of a token that is bad or has expired. */
export const unauthorized = 4401;

const gone = 1006;
const openWithin = 10_000;
const answerWithin = 10_000;
const mostUnread = 1_000;
const longestTimer = 2 ** 31 - 1;

/** One socket: what it brings, in order. It notices a dead line, and renews its token. */
export class Connection {
  /** Why it ended; the first reason stands. */
  lost: Lost | undefined;
  /** Ended by ourselves, since the reader is far behind: what is missing is read later. */
  overfull = false;
  readyAt: number | undefined;

  readonly #socket: Socket;
  readonly #getToken: GetToken;
  readonly #frames = new Queue<Ready | FeedEvent>();
  #pingInterval = openWithin;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #expiresAt = "";

  constructor(socket: Socket, getToken: GetToken) {
    this.#socket = socket;
    this.#getToken = getToken;
    socket.addEventListener("message", ({ data }) => this.#hear(data));
    socket.addEventListener("close", ({ code, reason }) => this.#end({ code, reason }));
    socket.addEventListener("error", () => {}); // a close follows, and says more
    this.#watch = setTimeout(() => this.end("it did not open in time"), openWithin);
  }

  /** The first is stream.ready, then events; undefined at the end. */
  next(): Promise<Ready | FeedEvent | undefined> {
    return this.#frames.next();
  }

  /** Ends it without waiting for the peer, who may be gone. */
  end(reason: string): void {
    this.#end({ code: gone, reason });
    this.#socket.close(1000);
    // The package ws would wait half a minute for a dead peer's goodbye.
    if (reason !== "") (this.#socket as { terminate?(): void }).terminate?.();
  }

  #end(lost: Lost): void {
    if (this.lost !== undefined) return;
    this.lost = lost;
    clearTimeout(this.#watch);
    clearTimeout(this.#renewal);
    this.#frames.end();
  }

  #hear(text: unknown): void {
    if (this.lost !== undefined) return;
    const frame = parse(text);
    if (frame === undefined) return this.end("what came is no frame");
    if (frame.type === "stream.ready") this.#settle(frame as Ready);
    if (isEvent(frame)) this.#frames.push(frame);
    this.#awaitNext();
    if (this.#frames.length > mostUnread) {
      this.overfull = true;
      this.end("what it brings is not read");
    }
  }

  /** The first stream.ready opens the socket, later ones tell a new expiry alone. */
  #settle(ready: Ready): void {
    const { expiresAt } = ready.data;
    // Where getToken had no newer one, asking at ever shorter intervals would give none either.
    if (expiresAt !== this.#expiresAt) this.#renewBefore(Date.parse(expiresAt) - Date.parse(ready.time));
    this.#expiresAt = expiresAt;
    this.#pingInterval = ready.data.pingInterval * 1_000;
    if (this.readyAt !== undefined) return;
    this.readyAt = performance.now();
    this.#frames.push(ready);
  }

  /** The server's pings are hidden from pages, so a silent line is asked for a sign of life. */
  #awaitNext(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      const patience = Math.min(answerWithin, this.#pingInterval);
      this.#watch = setTimeout(() => this.end("nothing was heard for too long"), patience);
      this.#send({ type: "ping" });
    }, this.#pingInterval);
  }

  /** By the server's clock alone: this machine's may be wrong. */
  #renewBefore(lifetime: number): void {
    clearTimeout(this.#renewal);
    const early = Math.min(60_000, lifetime / 5);
    this.#renewal = setTimeout(() => void this.#renew(), Math.min(lifetime - early, longestTimer));
  }

  /** Where this fails the server ends the socket at the old expiry, with 4401. */
  async #renew(): Promise<void> {
    try {
      this.#send({ type: "authenticate", token: await this.#getToken({ fresh: true }) });
    } catch {}
  }

  #send(frame: object): void {
    const open = 1;
    if (this.lost === undefined && this.#socket.readyState === open) this.#socket.send(JSON.stringify(frame));
  }
}

function parse(text: unknown): Frame | undefined {
  try {
    return JSON.parse(String(text)) ?? undefined;
  } catch {
    return undefined;
  }
}
