import { Feed, memoryPlace, type FeedOptions, type GetToken } from "@bookings/client";
import WebSocket from "ws";
import { Record } from "./record.js";

/** How a test reads a feed: the same in Node and in a browser. */
export interface ReaderOptions {
  readonly baseUrl: string;
  readonly getToken: GetToken;
  readonly start?: FeedOptions["start"];
}

/** A loop that reads a feed somewhere. */
export interface Reader {
  readonly record: Record;
  close(): Promise<void>;
}

export type OpenReader = (options: ReaderOptions) => Promise<Reader>;

/** Short waits, so that tests are. */
export const backoff = { first: 50, most: 500 };

export const openInNode: OpenReader = async (options) => {
  const record = new Record();
  const feed = new Feed({
    ...options,
    store: memoryPlace(),
    webSocket: WebSocket,
    backoff,
    onReset: (reset) => record.reset(reset),
    onConnected: () => record.onConnected(),
    onLost: (lost) => record.onLost(lost),
  });
  const reading = read(feed, record);
  return { record, close: () => (feed.close(), reading) };
};

async function read(feed: Feed, record: Record): Promise<void> {
  try {
    for await (const event of feed) record.event(event);
    record.end("");
  } catch (error) {
    record.end(String(error));
  }
}
