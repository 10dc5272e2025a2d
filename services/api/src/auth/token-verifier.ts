import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Caller, Claims } from './claims.js';
import { ServedKeys } from './served-keys.js';

/** Where the key of a token is taken from: a secret that both ends know, or the public keys of whoever signs. */
export type TokenKeys = { secret: Uint8Array } | { jwks: URL };

export interface TokenRules {
  keys: TokenKeys;
  /** Who must have signed the token; undefined: whoever has the key. */
  issuer?: string | undefined;
  /** For whom the token must be. */
  audience?: string | undefined;
}

/** The reason is one of a fixed few: it goes into a header. */
export type Verified = { ok: true; caller: Caller } | { ok: false; reason: string };

/** What a public key can have signed. None of these takes a public key for a secret. */
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Of a Date (ECMAScript, 21.4.1.1); a later one would be none. */
const LAST_DATE_MS = 8.64e15;
const SYMMETRIC = ['HS256'];
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

/** Checks bearer tokens: signature, algorithm (the header's own `alg` decides nothing), issuer, audience, expiry, claims. */
export class TokenVerifier {
  private readonly algorithms: string[];
  private readonly key: JWTVerifyGetKey;
  /** Rejects while the keys cannot be had; a secret always can. */
  readonly ready: () => Promise<void>;

  constructor(private readonly rules: TokenRules) {
    const { keys } = rules;
    if ('secret' in keys) {
      this.algorithms = SYMMETRIC;
      // Once: given as bytes it would be imported for each request.
      const imported = crypto.subtle.importKey('raw', keys.secret, HMAC, false, ['verify']);
      this.key = () => imported;
      this.ready = () => Promise.resolve();
      return;
    }
    const served = new ServedKeys(keys.jwks);
    this.algorithms = ASYMMETRIC;
    this.key = served.keyOf;
    this.ready = () => served.ready();
  }

  /**
   * Never throws for what a client can send.
   * @throws KeysUnavailableError
   */
  async verify(token: string, now: Date): Promise<Verified> {
    const { issuer, audience } = this.rules;
    const options = {
      algorithms: this.algorithms,
      requiredClaims: ['exp'],
      currentDate: now,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
    try {
      const { payload } = await jwtVerify(token, this.key, options);
      const claims = Claims.safeParse(payload);
      if (!claims.success) return { ok: false, reason: 'the claims tenant and scope are required' };
      const { tenant, scope, sub } = claims.data;
      const expiresAt = new Date(Math.min((payload.exp ?? 0) * 1000, LAST_DATE_MS));
      return { ok: true, caller: { tenant, scopes: scope, name: sub ?? tenant, expiresAt } };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { ok: false, reason: 'the token has expired' };
      if (error instanceof errors.JWTClaimValidationFailed && isOfOthers[error.claim] !== undefined) {
        return { ok: false, reason: isOfOthers[error.claim] ?? '' };
      }
      if (error instanceof errors.JOSEError) return { ok: false, reason: 'the token is not valid' };
      throw error;
    }
  }
}

const isOfOthers: Readonly<Record<string, string>> = {
  iss: 'the token is of another issuer',
  aud: 'the token is for another audience',
};
