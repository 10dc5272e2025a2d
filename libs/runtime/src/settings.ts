import ms, { type StringValue } from 'ms';
import { z } from 'zod';

export const SETTINGS = Symbol('Settings');

const text = (what: string) =>
  z.string({ error: (issue) => (issue.input === undefined ? 'is required' : `must be ${what}`) });

/** Several hosts with ports, or an encoded socket path: forms that no WHATWG URL has. */
const MONGODB_URL = /^mongodb(\+srv)?:\/\/([^@/?\s]+@)?[^@/?\s,]+(,[^@/?\s,]+)*(\/[^?\s]*)?(\?\S*)?$/;

/** A timer of more than 2^31 ms fires at once. */
export const LONGEST_TIMER = '24d';

/** Kinds of settings. Each says what a value may be, for the error that names the variable. */
export const setting = {
  text: () => text('a text').min(1, 'must not be empty'),
  url: (...schemes: string[]) =>
    text('a URL').refine(
      (value) =>
        schemes.some((scheme) => value.startsWith(`${scheme}://`)) &&
        (value.startsWith('mongodb') ? MONGODB_URL.test(value) : URL.canParse(value)),
      {
        error: `must be a URL beginning with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
      },
    ),
  integer: (min: number, max: number) =>
    text('an integer')
      .regex(/^-?\d+$/, `must be an integer from ${min} to ${max}`)
      .transform(Number)
      .refine((n) => n >= min && n <= max, { error: `must be an integer from ${min} to ${max}` }),
  share: () =>
    text('a number')
      .regex(/^(0|1|0?\.\d+|1\.0+)$/, 'must be a number from 0 to 1')
      .transform(Number),
  flag: () => z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true'),
  /** `30s`, `15m`, `24h`, `7d`; the setting's value is milliseconds. From now on, a date must still exist then. */
  duration: (longest: StringValue = '3650d') =>
    text('a duration')
      .regex(/^\d+(ms|s|m|h|d)$/, 'must be a duration such as 30s, 15m, 24h or 7d')
      .transform((value) => ms(value as StringValue))
      .refine((value) => value <= ms(longest), { error: `must be at most ${longest}` }),
} as const;

/** What every service reads from its environment. */
export const commonSettings = z.object({
  RABBITMQ_URL: setting.url('amqp', 'amqps'),
  HOST: setting.text().default('127.0.0.1'),
  PORT: setting.integer(0, 65535).default(3000),
  /** Of /health and /metrics, which then are there alone; else they are on PORT. */
  INTERNAL_PORT: setting.integer(0, 65535).optional(),
  INSTANCE: setting
    .text()
    .regex(/^[\w.-]{1,63}$/, 'must be letters, digits, dots, dashes')
    .optional(),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'must be trace, debug, info, warn, error or silent',
    })
    .default('info'),
  NODE_ENV: z.string().optional(),
  /** How long a store that is unreachable or overloaded is waited for. */
  STORE_RETRY_FOR: setting.duration().default(86_400_000),
  /** How long a shutdown waits for work in flight. */
  DRAIN_TIMEOUT: setting.duration(LONGEST_TIMER).default(20_000),
});
export type CommonSettings = z.infer<typeof commonSettings>;

export const databaseSettings = z.object({
  MONGODB_URL: setting.url('mongodb', 'mongodb+srv'),
  /** Goes before the names of the services' own databases, so that several systems can share a server. */
  DATABASE_PREFIX: z
    .string()
    .regex(/^[\w-]{0,40}$/, 'must be at most 40 letters, digits, _ or -')
    .default(''),
});

/** A setting is wrong or missing; the message has one line for each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const secret = /SECRET|PASSWORD|KEY|TOKEN|_URLS?$|_ENDPOINT$/;
const unemptied = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));

/**
 * Reads settings from the environment, once, at start. An empty variable counts as not set.
 * @throws SettingsError naming each variable, what it was (secrets and URLs aside) and what it may be
 */
export function readSettings<T>(schema: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  const given = unemptied(environment);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment');
    const value = given[name];
    const was =
      value === undefined ? '' : secret.test(name) ? ' (value not shown)' : `, but is ${JSON.stringify(value)}`;
    return `${name} ${issue.message}${was}`;
  });
  throw new SettingsError([...new Set(lines)].join('\n'));
}

const toSpeak = commonSettings.pick({ RABBITMQ_URL: true, INSTANCE: true, LOG_LEVEL: true, NODE_ENV: true }).partial();
type ToSpeak = z.infer<typeof toSpeak>;

/** What it takes to tell of a failed start, each by itself: one that is wrong or missing is left out. */
export function readWhatIsRight(environment: NodeJS.ProcessEnv): ToSpeak {
  const given = unemptied(environment);
  const right = Object.entries(toSpeak.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(given[name]);
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : [];
  });
  return Object.fromEntries(right) as ToSpeak;
}
