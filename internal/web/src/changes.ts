// What the page shows is plain objects. Whoever changes one says so, and all of the
// page is drawn anew, once for all changes of a moment: it is small, and Preact
// touches only what differs.

const listeners = new Set<() => void>();
let told = false;

/** Something that is shown has changed. */
export function changed(): void {
  if (told) return;
  told = true;
  queueMicrotask(() => {
    told = false;
    for (const listener of [...listeners]) listener();
  });
}

/** Calls a listener after changes, until what is returned is called. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const patience = 15_000;

/** Waits until changes have brought something about. */
export function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => (clearTimeout(timer), stop());
    const look = () => holds() && (end(), resolve());
    const stop = onChange(look);
    const timer = setTimeout(() => (end(), reject(new Error("This has taken too long."))), patience);
    look();
  });
}
