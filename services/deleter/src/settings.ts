import { commonSettings, databaseSettings, setting } from '@expunge/runtime';
import { z } from 'zod';

export const deleterSettings = z.object({
  ...commonSettings.shape,
  ...databaseSettings.shape,
  /** The user's records; the URL names the database. */
  RECORDS_MONGODB_URL: setting
    .url('mongodb', 'mongodb+srv')
    .refine((url) => databaseOf(url) !== null, { error: 'must name the database: mongodb://host/DATABASE' }),
  RESOURCES_FILE: setting.text().optional(),
  /** While more objects wait to be purged, no further record is deleted. */
  MAX_PENDING_OBJECTS: setting.integer(1, 1_000_000_000).default(200_000),
  /** All jobs of all deleters together delete no more a second; without it there is no limit. */
  MAX_RECORDS_PER_SECOND: setting.integer(1, 1_000_000).optional(),
  /** Of more records than that, nothing goes before somebody confirms, unless the request says how many it expects. */
  CONFIRM_ABOVE: setting.integer(0, 1_000_000_000).default(100_000),
  /** More of the records processed than this share fail: so does the job. */
  MAX_FAILURE_SHARE: setting.share().default(0.5),
  /** So many records must have been processed before that is judged. */
  MIN_FAILURE_SAMPLE: setting.integer(1, 1_000_000_000).default(50),
  /** How long slices may be at a job without progress before it fails. */
  NO_PROGRESS_FOR: setting.duration().default(1_800_000),
});
export type DeleterSettings = z.infer<typeof deleterSettings>;

/** The database a MongoDB URL names, or null. */
export function databaseOf(url: string): string | null {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(url)?.[1];
  return name ? decodeURIComponent(name) : null;
}
