import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';

export const scopes = ['jobs:read', 'jobs:write', 'ops:read', 'ops:write'] as const;
export type Scope = (typeof scopes)[number];

/** Shorter keys can be guessed offline (RFC 7518, 3.2). Bytes. */
export const MIN_SECRET_BYTES = 32;

/** A `/` would put one tenant's keys under another's prefix. */
export const Tenant = z.string().regex(/^[^/\p{Cc}\p{Cs}]{1,200}$/u, 'must be 1 to 200 characters, without /');

const Claims = z.object({
  tenant: Tenant,
  scope: z.string().transform((scope) => new Set(scope.split(' ').filter((part) => part !== ''))),
  sub: z.string().min(1).max(200).optional(),
});

/** Who asks: the tenant whose records are meant, and what the token permits. */
export interface Caller {
  tenant: string;
  scopes: ReadonlySet<string>;
  /** For the job's record of who requested it. */
  name: string;
}

/** The reason is one of a fixed few: it goes into a header. */
export type Verified = { ok: true; caller: Caller } | { ok: false; reason: string };

/**
 * Checks a bearer token: signature by HS256 and nothing else (the header's own `alg` decides nothing), expiry, claims.
 * Never throws for what a client can send.
 */
export async function verifyToken(token: string, secret: Uint8Array, now: Date): Promise<Verified> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      requiredClaims: ['exp'],
      currentDate: now,
    });
    const claims = Claims.safeParse(payload);
    if (!claims.success) return { ok: false, reason: 'the claims tenant and scope are required' };
    const { tenant, scope, sub } = claims.data;
    return { ok: true, caller: { tenant, scopes: scope, name: sub ?? tenant } };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { ok: false, reason: 'the token has expired' };
    if (error instanceof errors.JOSEError) return { ok: false, reason: 'the token is not valid' };
    throw error;
  }
}

export function signToken(
  claims: { tenant: string; scope: string; subject?: string | undefined },
  secret: Uint8Array,
  expiresAt: Date,
): Promise<string> {
  const token = new SignJWT({ tenant: claims.tenant, scope: claims.scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(expiresAt);
  if (claims.subject !== undefined) token.setSubject(claims.subject);
  return token.sign(secret);
}
