import { SignJWT } from 'jose';
import { z } from 'zod';

export const scopes = ['jobs:read', 'jobs:write', 'ops:read', 'ops:write'] as const;
export type Scope = (typeof scopes)[number];

/** Shorter keys can be guessed offline (RFC 7518, 3.2). Bytes. */
export const MIN_SECRET_BYTES = 32;

/** A `/` would put one tenant's keys under another's prefix. */
export const Tenant = z.string().regex(/^[^/\p{Cc}\p{Cs}]{1,200}$/u, 'must be 1 to 200 characters, without /');

/** What a token says beside issuer, audience and expiry. */
export const Claims = z.object({
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
  /** When the token ends. */
  expiresAt: Date;
}

export interface TokenToSign {
  tenant: string;
  scope: string;
  subject?: string | undefined;
  issuer?: string | undefined;
  audience?: string | undefined;
}

export function signToken(claims: TokenToSign, secret: Uint8Array, expiresAt: Date): Promise<string> {
  const token = new SignJWT({ tenant: claims.tenant, scope: claims.scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(expiresAt);
  if (claims.subject !== undefined) token.setSubject(claims.subject);
  if (claims.issuer !== undefined) token.setIssuer(claims.issuer);
  if (claims.audience !== undefined) token.setAudience(claims.audience);
  return token.sign(secret);
}
