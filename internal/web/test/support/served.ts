import { database } from "../../../../clients/typescript/test/support/database.js";
import { Server } from "../../../../clients/typescript/test/support/server.js";

/** A `bookings serve` that shows the page, for tokens that are pasted. */
export class Served {
  private constructor(
    private readonly databaseURL: string,
    private server: Server,
  ) {}

  static async start(): Promise<Served> {
    const url = await database();
    return new Served(url, await Server.start(url, { PAGE: "true" }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  /** Another server on the same database, as there may be many. */
  another(): Promise<Server> {
    return Server.start(this.databaseURL);
  }

  stop(): Promise<unknown> {
    return this.server.stop();
  }

  /** Starts it anew, where it was. */
  async restart(): Promise<void> {
    this.server = await Server.start(this.databaseURL, { PAGE: "true", ADDR: `127.0.0.1:${this.server.port}` });
  }

  kill(): Promise<unknown> {
    return this.server.kill();
  }
}
