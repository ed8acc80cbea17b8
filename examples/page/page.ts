import { BookingsError, BookingStatus, createClient, timestampDate, timestampFromDate, type Booking, type FeedEvent } from "@bookings/client";

// Your sign-in gives the user's token; here it stands behind the # of the page's address.
const client = createClient({ baseUrl: "http://localhost:8080", getToken: () => location.hash.slice(1) });

/** What the page knows of a booking, from a list or from an event. */
interface Shown {
  readonly provider: string;
  readonly start: Date;
  readonly status: string;
  /** The greater one is the later state. */
  readonly version: number;
}

const bookings = new Map<string, Shown>();

function take(id: string, booking: Shown): void {
  const known = bookings.get(id);
  if (known && known.version >= booking.version) return;
  bookings.set(id, booking);
  const rows = [...bookings.values()].sort((a, b) => a.start.getTime() - b.start.getTime());
  element("bookings").replaceChildren(...rows.map(row));
}

function row({ provider, start, status }: Shown): HTMLElement {
  const item = document.createElement("li");
  item.textContent = `${start.toLocaleString()} with ${provider}: ${status.toLowerCase()}`;
  return item;
}

function fromList({ providerId, startTime, status, version }: Booking): Shown {
  return { provider: providerId, start: timestampDate(startTime!), status: BookingStatus[status], version: Number(version) };
}

async function listAll(): Promise<void> {
  let pageToken = "";
  do {
    const page = await client.bookings.listBookings({ pageToken });
    for (const booking of page.bookings) take(booking.id, fromList(booking));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

function fromEvent({ subject, type, data }: FeedEvent): void {
  if (type === "booking.reminder.due") return say("line", `Remember ${data.providerId} at ${new Date(data.startTime).toLocaleString()}`);
  const { providerId, startTime, status, version = 0 } = data;
  take(subject, { provider: providerId, start: new Date(startTime), status: status.replace("BOOKING_STATUS_", ""), version });
}

/** Lists when it begins, and whenever the feed has lost its place; else each event comes once. */
async function follow(): Promise<void> {
  const feed = client.feed({
    onReset: listAll,
    onConnected: () => say("line", "Live"),
    onLost: () => say("line", "Cut off, coming back …"),
  });
  for await (const event of feed) fromEvent(event);
}

async function book(provider: string, start: Date): Promise<void> {
  const end = new Date(start.getTime() + 3_600_000);
  try {
    await client.bookings.createBooking({ providerId: provider, startTime: timestampFromDate(start), endTime: timestampFromDate(end) });
    say("answer", "Booked.");
  } catch (error) {
    const { reason, rawMessage } = BookingsError.of(error);
    say("answer", reason === "SLOT_TAKEN" ? "That time is taken. Choose another." : rawMessage);
  }
}

function element(id: string): HTMLElement {
  return document.getElementById(id)!;
}

function say(id: string, text: string): void {
  element(id).textContent = text;
}

element("form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const fields = new FormData(submitted.target as HTMLFormElement);
  void book(String(fields.get("provider")), new Date(String(fields.get("start"))));
});

follow().catch((error) => say("line", BookingsError.of(error).rawMessage));
