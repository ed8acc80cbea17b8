/** How far a feed has been read: the number and id of the last entry that was handled. */
export interface Place {
  /** As events have it; "0" is the beginning. */
  readonly sequence: string;
  /** Empty for the beginning. It proves that the feed still has the same history. */
  readonly id: string;
}

/** Keeps a place, for one user in one role. Where it fails, the feed's loop ends with its error. */
export interface PlaceStore {
  load(): Place | undefined | Promise<Place | undefined>;
  save(place: Place): void | Promise<void>;
}

/** Keeps a place as long as the program runs. */
export function memoryPlace(place?: Place): PlaceStore {
  return { load: () => place, save: (next) => void (place = next) };
}

/** Keeps a place in a browser, under a name that is this user's and role's own. */
export function localStoragePlace(name: string): PlaceStore {
  return {
    load: () => parse(localStorage.getItem(name)),
    save: (place) => localStorage.setItem(name, JSON.stringify(place)),
  };
}

/** What cannot be read is no place: the reader hears of it by onReset. */
function parse(text: string | null): Place | undefined {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Whether the server takes it. A bad one is refused before there is a socket, which a browser cannot see. */
export function isPlace(place: Place | undefined): place is Place {
  return /^\d{1,18}$|^0\d{18}$/.test(place?.sequence ?? "") && /^$|^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(place?.id ?? "");
}
