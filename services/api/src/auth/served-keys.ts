import { createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose';

/** The keys cannot be had at the moment: nothing can be said of the token. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

export interface ServedKeysTimes {
  withinMs: number;
  /** They are read anew after that, while those at hand serve on. */
  refreshAfterMs: number;
  /** Nothing is believed that could not be read anew for so long. */
  believedForMs: number;
  /** After an answer, and after none, until a key that is not known is asked for again. */
  againAfterMs: number;
}

const usual: ServedKeysTimes = {
  withinMs: 3_000,
  refreshAfterMs: 600_000,
  believedForMs: 86_400_000,
  againAfterMs: 10_000,
};

/** The public keys of whoever signs tokens. An outage of their server is borne, and does not multiply requests to it. */
export class ServedKeys {
  private readonly set: ReturnType<typeof createRemoteJWKSet>;
  private readAt = -Infinity;
  private failedAt = -Infinity;

  constructor(
    url: URL,
    private readonly times: ServedKeysTimes = usual,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.set = createRemoteJWKSet(url, {
      timeoutDuration: times.withinMs,
      cooldownDuration: times.againAfterMs,
      cacheMaxAge: Infinity,
      [customFetch]: this.fetch,
    });
  }

  /** @throws KeysUnavailableError; what jose throws of a token whose key is not among them */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    const age = this.now() - this.readAt;
    try {
      if (age > this.times.believedForMs) await this.set.reload();
      else if (age > this.times.refreshAfterMs) void this.set.reload().catch(() => undefined);
      return await this.set(header, token);
    } catch (error) {
      if (isOfToken(error)) throw error;
      throw new KeysUnavailableError('the keys of tokens cannot be had', { cause: error });
    }
  };

  /** Rejects as long as they were never had. */
  async ready(): Promise<void> {
    if (this.set.jwks() === undefined) await this.set.reload();
  }

  private readonly fetch: FetchImplementation = async (url, options) => {
    if (this.now() - this.failedAt < this.times.againAfterMs) throw new Error('not asked again so soon');
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
      await response.clone().json();
      this.readAt = this.now();
      return response;
    } catch (error) {
      this.failedAt = this.now();
      throw error;
    }
  };
}

const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;
