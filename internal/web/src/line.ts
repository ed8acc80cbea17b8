import type { SocketConstructor } from "@bookings/client";
import { changed } from "./changes.js";

const lineLost = 1006;

/** One person's line to the server, which can be cut to see what a feed does then. */
export class Line {
  whole = true;
  readonly #sockets = new Set<WebSocket>();

  /** Drops the socket; new ones fail until the line is mended. */
  cut(): void {
    this.whole = false;
    for (const socket of this.#sockets) socket.close();
    changed();
  }

  mend(): void {
    this.whole = true;
    changed();
  }

  /** What the feed opens its sockets with. */
  get socket(): SocketConstructor {
    const open = (url: string, protocols: string[]) => (this.whole ? this.#open(url, protocols) : new DeadSocket());
    // An arrow function cannot stand behind `new`.
    return function (url: string, protocols: string[]) {
      return open(url, protocols);
    } as unknown as SocketConstructor;
  }

  #open(url: string, protocols: string[]): WebSocket {
    const socket = new WebSocket(url, protocols);
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

/** What a browser gives where there is no way to the server. */
class DeadSocket extends EventTarget {
  readonly readyState = WebSocket.CLOSED;

  constructor() {
    super();
    setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: lineLost })));
  }

  send(): void {}
  close(): void {}
}
