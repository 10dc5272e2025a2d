import { commonSettings, databaseSettings, LONGEST_TIMER, setting } from '@expunge/runtime';
import { z } from 'zod';
import { MIN_SECRET_BYTES } from './auth/claims.js';
import type { TokenRules } from './auth/token-verifier.js';

const isTrustworthy = ({ protocol, hostname, username, password }: URL): boolean =>
  username === '' && password === '' && (protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));
const bytesOf = (text: string) => new TextEncoder().encode(text);

const tokenSettings = z.object({
  /** Of tokens signed by HS256; else those of JWT_JWKS_URL are believed. */
  JWT_SECRET: setting
    .text()
    .refine((value) => bytesOf(value).length >= MIN_SECRET_BYTES, {
      error: `must be at least ${String(MIN_SECRET_BYTES)} bytes`,
    })
    .optional(),
  JWT_JWKS_URL: setting
    .url('https', 'http')
    .refine((value) => URL.canParse(value) && isTrustworthy(new URL(value)), {
      error: 'must be https:// (http:// of this machine alone), without user and password',
    })
    .optional(),
  JWT_ISSUER: setting.text().optional(),
  JWT_AUDIENCE: setting.text().optional(),
});
type TokenSettings = z.infer<typeof tokenSettings>;

const settings = commonSettings
  .extend(databaseSettings.shape)
  .extend(tokenSettings.shape)
  .extend({
    /** Comma separated, tried in this order; any instance answers for all. */
    MONITOR_URLS: setting
      .text()
      .transform((value) => value.split(',').map((url) => url.trim().replace(/\/+$/, '')))
      .refine((urls) => urls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url)), {
        error: 'must be http:// or https:// URLs, separated by commas',
      }),
    RESOURCES_FILE: setting.text().optional(),
    /** Of Jaeger's page: then each job links to its trace. */
    JAEGER_URL: setting
      .url('http', 'https')
      .transform((url) => url.replace(/\/+$/, ''))
      .optional(),
    /** A request that reaches the deleter later than this is refused. */
    REQUEST_VALID_FOR: setting.duration().default(7 * 86_400_000),
    /** How long a request waits for the broker's confirm before its outcome is said to be unknown. */
    PUBLISH_WITHIN: setting.duration(LONGEST_TIMER).default(10_000),
    /** Records a second of a job that asks for no rate. */
    DEFAULT_RATE: setting.integer(1, 1_000_000).optional(),
    /** Of one tenant, on one instance. */
    REQUESTS_PER_SECOND: setting.integer(1, 1_000_000).default(500),
    /** Open at once, on one instance. */
    STREAMS_PER_TENANT: setting.integer(1, 100_000).default(200),
  });

/** Also where another variable is wrong: all that is wrong is told at once. */
export const apiSettings = settings.check(
  z.superRefine<z.infer<typeof settings>>(
    (given, context) => {
      for (const [name, message] of wrongOfTokens(given)) context.addIssue({ code: 'custom', path: [name], message });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null },
  ),
);
export type ApiSettings = z.infer<typeof apiSettings>;

/** Whoever serves keys signs for others, too: then issuer and audience must be named. */
function wrongOfTokens(given: Partial<TokenSettings>): [name: keyof TokenSettings, message: string][] {
  const { JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE } = given;
  if (JWT_JWKS_URL === undefined)
    return JWT_SECRET === undefined ? [['JWT_SECRET', 'is required, or JWT_JWKS_URL']] : [];
  const wrong: [keyof TokenSettings, string][] = [];
  if (JWT_SECRET !== undefined) wrong.push(['JWT_JWKS_URL', 'cannot be set beside JWT_SECRET']);
  if (JWT_ISSUER === undefined) wrong.push(['JWT_ISSUER', 'is required with JWT_JWKS_URL']);
  if (JWT_AUDIENCE === undefined) wrong.push(['JWT_AUDIENCE', 'is required with JWT_JWKS_URL']);
  return wrong;
}

export function tokenRulesOf({ JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE }: TokenSettings): TokenRules {
  const keys = JWT_JWKS_URL === undefined ? { secret: bytesOf(JWT_SECRET ?? '') } : { jwks: new URL(JWT_JWKS_URL) };
  return { keys, issuer: JWT_ISSUER, audience: JWT_AUDIENCE };
}
