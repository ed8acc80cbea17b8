import { createClient } from "@bookings/client";
import WebSocket from "ws"; // Node 22 has its own, as browsers have

const { URL: baseUrl = "http://localhost:8080", TOKEN: token = "" } = process.env;
const client = createClient({ baseUrl, getToken: () => token });

const feed = client.feed({
  webSocket: WebSocket,
  onReset: async () => {
    const { bookings } = await client.bookings.listBookings({});
    console.log(`${bookings.length} bookings so far`);
  },
});
for await (const event of feed) {
  console.log(Number(event.sequence), event.type, event.subject);
}
