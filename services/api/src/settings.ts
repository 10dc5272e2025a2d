import { commonSettings, databaseSettings, LONGEST_TIMER, setting } from '@expunge/runtime';
import type { z } from 'zod';
import { MIN_SECRET_BYTES } from './auth/claims.js';

export const apiSettings = commonSettings.extend(databaseSettings.shape).extend({
  JWT_SECRET: setting.text().refine((value) => new TextEncoder().encode(value).length >= MIN_SECRET_BYTES, {
    error: `must be at least ${String(MIN_SECRET_BYTES)} bytes`,
  }),
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
});
export type ApiSettings = z.infer<typeof apiSettings>;
