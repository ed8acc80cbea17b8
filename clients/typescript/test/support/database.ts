import { spawn, execFileSync } from "node:child_process";
import { createInterface } from "node:readline";
import { after } from "node:test";
import pg from "pg";
import { program } from "./program.js";

/** The private PostgreSQL of this file of tests: it ends with us, however we end. */
const cluster = startCluster();

async function startCluster(): Promise<string> {
  const postgres = spawn(program("postgres"), { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => postgres.on("exit", resolve));
  after(async () => {
    postgres.stdin.end();
    await ended;
  });
  for await (const url of createInterface({ input: postgres.stdout })) {
    await ask(url, "CREATE DATABASE migrated");
    execFileSync(program("bookings"), ["migrate", "up"], { env: { DATABASE_URL: named(url, "migrated") } });
    return url;
  }
  throw new Error("PostgreSQL did not start");
}

function named(url: string, database: string): string {
  return url.replace("/postgres?", `/${database}?`);
}

/** Runs one statement. */
export async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

let databases = 0;

/** A fresh database, or a copy of another, which nobody may use meanwhile. */
export async function database(copyOf?: string): Promise<string> {
  const url = await cluster;
  const name = `test_${++databases}`;
  await ask(url, `CREATE DATABASE ${name} TEMPLATE ${copyOf === undefined ? "migrated" : /\/(\w+)\?/.exec(copyOf)![1]}`);
  return named(url, name);
}
