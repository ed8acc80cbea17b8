import type { Place } from "./place.js";

/** What the feed uses of a WebSocket: the browser's is one, and that of the package ws. */
export interface Socket {
  readonly readyState: number;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: "error", listener: (event: any) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** The platform's own. */
export function ownSocket(): SocketConstructor {
  const own: SocketConstructor | undefined = globalThis.WebSocket;
  if (own === undefined) {
    throw new Error("there is no WebSocket here: give the option webSocket, such as that of the package ws");
  }
  return own;
}

/** Where a feed is read after a place; without one, live. */
export function socketURL(baseUrl: string, after: Place | undefined): string {
  const url = new URL(`${baseUrl.replace(/\/+$/, "")}/ws`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (after !== undefined) {
    url.searchParams.set("after", after.sequence);
    if (after.id !== "") url.searchParams.set("after_id", after.id);
  }
  return url.href;
}

/** A browser cannot set headers, so the token travels as a subprotocol: never in the URL. */
export function protocols(token: string): string[] {
  return ["bookings.v1", `bearer.${token}`];
}
