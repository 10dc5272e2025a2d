import { commonSettings, databaseSettings, setting } from '@expunge/runtime';
import { z } from 'zod';

const DAY_MS = 86_400_000;

const retention = (days: number) =>
  setting.duration().refine((ms) => ms >= days * DAY_MS, { error: `must be at least ${days}d` });

export const MonitorSettings = z.object({
  ...commonSettings.shape,
  ...databaseSettings.shape,
  /** Who listens is asked there; without it, passive declares tell less. With user and password. */
  RABBITMQ_MANAGEMENT_URL: setting.url('http', 'https').optional(),
  RESOURCES_FILE: setting.text().optional(),
  /** A settled job is kept for so long after its last event. The least is what other promises ask: PAST_VALIDITY_MS. */
  JOB_RETENTION: retention(2).default(400 * DAY_MS),
  /** How long what a job could not delete is listed. */
  FAILURE_RETENTION: retention(1).default(90 * DAY_MS),
});
export type MonitorSettings = z.infer<typeof MonitorSettings>;
