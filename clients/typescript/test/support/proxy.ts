import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A line to a server: it can be cut, fall silent, and lead to another server. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections have come. */
  connections = 0;

  private constructor(public target: number) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Drops all connections, without a word. One that is just being shut down is not reset:
   * Node would never close its handle, and spin at the end of the process.
   */
  cut(): void {
    for (const socket of this.#sockets) {
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Carries nothing more of the connections that are there, and keeps them open. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #join(client: Socket): void {
    this.connections++;
    const server = connect(this.target, "127.0.0.1");
    client.pipe(server).pipe(client);
    for (const [one, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
