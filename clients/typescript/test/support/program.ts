import { resolve } from "node:path";

/** Where a program of ours is: `npm test` builds them, and runs in the package's folder. */
export function program(name: string): string {
  return resolve("build", name);
}
