import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

export const allScopes = 'jobs:read jobs:write ops:read ops:write';

export function newSecret(): string {
  return randomBytes(32).toString('hex');
}

/** A bearer token for one tenant with every scope; good for a week of a stack that runs on one's own machine. */
export function signToken(secret: string, tenant: string): Promise<string> {
  return new SignJWT({ tenant, scope: allScopes })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('local-stack')
    .setIssuedAt()
    .setExpirationTime('7d')
    .sign(new TextEncoder().encode(secret));
}
