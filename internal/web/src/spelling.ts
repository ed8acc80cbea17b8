import type { Call } from "./calls.js";

/** A call as curl makes it. The token is a variable: it belongs on no screen. */
export function asCurl(call: Call): string {
  const key = call.headers.get("Idempotency-Key");
  return [
    `curl -s ${call.url}`,
    `-H "Authorization: Bearer $${variable(call)}"`,
    `-H 'Content-Type: application/json'`,
    ...(key ? [`-H 'Idempotency-Key: ${key}'`] : []),
    `-d ${quoted(JSON.stringify(call.request))}`,
  ].join(" \\\n  ");
}

/** The variable that has the caller's token, to be set before. */
export function variable(call: Call): string {
  return call.caller.role.toUpperCase();
}

/** As a shell reads it back. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A call as the TypeScript client makes it. */
export function asTypeScript(call: Call): string {
  const method = call.method[0]!.toLowerCase() + call.method.slice(1);
  return `await ${call.caller.role}.bookings.${method}(${literal(call.request, "")});`;
}

/** As JSON: the path and the body. */
export function asJSON(call: Call): string {
  return `POST ${new URL(call.url).pathname}\n\n${pretty(call.request)}`;
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A message's JSON as an object of the generated code, in which times are Timestamps. */
function literal(value: unknown, indent: string, name = ""): string {
  if (isTime(name) && typeof value === "string") return `timestampFromDate(new Date(${JSON.stringify(value)}))`;
  if (name === "updateMask") return `{ paths: ${JSON.stringify(String(value).split(","))} }`;
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, indent)).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `${indent}  ${key}: ${literal(field, `${indent}  `, key)},\n`);
  return fields.length === 0 ? "{}" : `{\n${fields.join("")}${indent}}`;
}

function isTime(name: string): boolean {
  return /Time(From|To)?$/.test(name);
}
