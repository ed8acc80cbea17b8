import { createClient, timestampFromDate, type Bookings, type GetToken } from "@bookings/client";
import { database } from "./database.js";
import { Proxy } from "./proxy.js";
import { Server, token } from "./server.js";
import type { OpenReader, Reader, ReaderOptions } from "./reader.js";

const day = 24 * 60 * 60 * 1_000;

/** A server with a database of its own, a line to it, and the provider ben, who books. */
export class World {
  readonly ben: Bookings;
  #slots = 0;
  readonly #readers: Reader[] = [];

  private constructor(
    public databaseURL: string,
    public server: Server,
    readonly line: Proxy,
    readonly benToken: string,
  ) {
    this.ben = createClient({ baseUrl: line.url, getToken: () => benToken, retry: { first: 50, most: 500 } });
  }

  static async make(databaseURL?: string): Promise<World> {
    const url = databaseURL ?? (await database());
    const server = await Server.start(url);
    return new World(url, server, await Proxy.open(server.port), await token("provider", "ben"));
  }

  /** Books a slot that is free. */
  async book(): Promise<string> {
    const start = Date.now() + day + ++this.#slots * 3_600_000;
    const { booking } = await this.ben.bookings.createBooking({
      customerId: "anna",
      startTime: timestampFromDate(new Date(start)),
      endTime: timestampFromDate(new Date(start + 3_600_000)),
    });
    return booking!.id;
  }

  /** A new server, behind the same line, perhaps with another database. */
  async startServer(databaseURL = this.databaseURL): Promise<void> {
    this.databaseURL = databaseURL;
    this.server = await Server.start(databaseURL);
    this.line.target = this.server.port;
  }

  async read(open: OpenReader, options: Partial<ReaderOptions> = {}): Promise<Reader> {
    const getToken: GetToken = () => this.benToken;
    const reader = await open({ baseUrl: this.line.url, getToken, ...options });
    this.#readers.push(reader);
    await reader.record.until("a connection", ({ connected }) => connected > 0);
    return reader;
  }

  async end(): Promise<void> {
    try {
      await Promise.all(this.#readers.map((reader) => reader.close()));
    } finally {
      this.line.close();
      await this.server.kill();
    }
  }
}
