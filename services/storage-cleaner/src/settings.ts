import { commonSettings, setting } from '@expunge/runtime';
import { z } from 'zod';
import type { S3Options } from './object-store/s3-object-store.adapter.js';

const LONGEST_CALL_MS = 5 * 60_000;

export const storageCleanerSettings = commonSettings.extend({
  S3_ENDPOINT: setting.url('http', 'https'),
  S3_REGION: setting.text().default('auto'),
  S3_BUCKET: setting.text().regex(/^[\w.-]{1,255}$/, 'must be the name of a bucket'),
  S3_ACCESS_KEY_ID: setting.text(),
  S3_SECRET_ACCESS_KEY: setting.text(),
  S3_FORCE_PATH_STYLE: setting.flag().default(true),
  S3_DELETE_CHECKSUM: z.enum(['crc32', 'md5'], { error: 'must be crc32 or md5' }).default('crc32'),
  /** One call, its repetition after a reset connection included. A delivery waits for it, so it may not be long. */
  S3_TIMEOUT: setting
    .duration()
    .refine((ms) => ms >= 1000 && ms <= LONGEST_CALL_MS, { error: 'must be from 1s to 5m' })
    .default(30_000),
});
export type StorageCleanerSettings = z.infer<typeof storageCleanerSettings>;

export function s3OptionsOf(settings: StorageCleanerSettings): S3Options {
  return {
    endpoint: settings.S3_ENDPOINT,
    region: settings.S3_REGION,
    bucket: settings.S3_BUCKET,
    accessKeyId: settings.S3_ACCESS_KEY_ID,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
    forcePathStyle: settings.S3_FORCE_PATH_STYLE,
    deleteChecksum: settings.S3_DELETE_CHECKSUM,
    timeoutMs: settings.S3_TIMEOUT,
  };
}
