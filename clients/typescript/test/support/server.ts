import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { program } from "./program.js";

export const secret = "only-for-tests-only-for-tests-only";

/** None outlives its test's process, whatever happens to that. */
const running = new Set<ChildProcess>();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A running `bookings serve`. */
export class Server {
  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
    readonly ended: Promise<unknown>,
  ) {}

  static async start(databaseURL: string, settings: Record<string, string> = {}): Promise<Server> {
    const env = { ADDR: "127.0.0.1:0", DATABASE_URL: databaseURL, JWT_SECRET: secret, RATE_LIMIT_RPM: "0", ALLOWED_ORIGINS: "*", ...settings };
    const child = spawn(program("bookings"), ["serve"], { env, stdio: ["ignore", "pipe", "inherit"] });
    running.add(child);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    const lines = createInterface({ input: child.stdout });
    const port = await new Promise<number>((resolve, reject) => {
      lines.on("line", (line) => {
        const entry = JSON.parse(line);
        if (entry.msg === "listening") resolve(Number(entry.addr.split(":").pop()));
      });
      lines.on("close", () => reject(new Error("the server did not start")));
    });
    return new Server(port, child, ended);
  }

  /** As a crash of the machine would. */
  kill(): Promise<unknown> {
    this.process.kill("SIGKILL");
    return this.ended;
  }

  /** As a deploy does. */
  stop(): Promise<unknown> {
    this.process.kill("SIGTERM");
    return this.ended;
  }
}

/** A token of a user, signed by the program itself, with the servers' secret or another. */
export async function token(role: "customer" | "provider", sub: string, ttl = "1h", key = secret): Promise<string> {
  const { stdout } = await promisify(execFile)(program("bookings"), ["token", "--sub", sub, "--role", role, "--ttl", ttl], {
    env: { JWT_SECRET: key },
  });
  return stdout.trim();
}
