import { commonSettings, databaseSettings, setting } from '@expunge/runtime';
import { z } from 'zod';

export const MonitorSettings = z.object({
  ...commonSettings.shape,
  ...databaseSettings.shape,
  RESOURCES_FILE: setting.text().optional(),
  /** How long what a job could not delete is listed. */
  FAILURE_RETENTION: setting.duration().default(90 * 86_400_000),
});
export type MonitorSettings = z.infer<typeof MonitorSettings>;
