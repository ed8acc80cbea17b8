import type { GetToken } from "@bookings/client";

export type Role = "customer" | "provider";

/** Who a token speaks for, and how it is got. */
export interface Identity {
  readonly role: Role;
  readonly userId: string;
  readonly getToken: GetToken;
  /** The token of the last call. */
  token: string;
  /** Whether there is another when this one is used up. */
  readonly renewable: boolean;
}

/** Where this server makes tokens for anybody, as `bookings dev` does; empty on others. */
export const mint = document.querySelector<HTMLMetaElement>("meta[name=tokens]")?.content ?? "";

/** Somebody whose tokens this server makes, a new one whenever the old is used up. */
export function minted(role: Role, userId: string): Identity {
  const identity: Identity = {
    role,
    userId,
    token: "",
    renewable: true,
    getToken: async ({ fresh }) => {
      if (fresh || identity.token === "") identity.token = await ask(role, userId);
      return identity.token;
    },
  };
  return identity;
}

async function ask(role: Role, userId: string): Promise<string> {
  const response = await fetch(mint, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ role, userId }),
  });
  const answer = await response.json().catch(() => undefined); // a proxy's own answer need not be JSON
  if (!answer?.token) throw new NoToken(answer?.message ?? `No token has come: HTTP ${response.status}.`);
  return answer.token;
}

/** Why this page has got no token. */
export class NoToken extends Error {}

/** Somebody whose token was pasted. It is kept in this page's memory alone, and there is no second. */
export function pasted(text: string): Identity {
  const token = text.trim().replace(/^Bearer\s+/i, "");
  const { sub, role } = claims(token);
  if (typeof sub !== "string" || (role !== "customer" && role !== "provider")) {
    throw new Error("This token names no user in the role customer or provider.");
  }
  return { role, userId: sub, token, renewable: false, getToken: () => token };
}

/** What the token says. The server alone verifies it. */
function claims(token: string): Record<string, unknown> {
  try {
    const payload = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
  } catch {
    throw new Error("This is no token: three parts with dots in between are expected, as bookings token prints them.");
  }
}
