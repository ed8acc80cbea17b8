/** What is asked of the caller's getToken. */
export interface TokenRequest {
  /** The last token was refused or is about to expire: answer a new one, not one that is kept. */
  readonly fresh: boolean;
}

/**
 * Gets a token of the user, without "Bearer". It is asked before each call and
 * each connection, so keep the token and renew it when `fresh` is set. Where it
 * fails the call fails; a feed asks again.
 */
export type GetToken = (request: TokenRequest) => string | Promise<string>;
