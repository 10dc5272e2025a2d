import { commonSettings, databaseSettings, setting } from '@expunge/runtime';
import { z } from 'zod';

export const MonitorSettings = z.object({
  ...commonSettings.shape,
  ...databaseSettings.shape,
  RESOURCES_FILE: setting.text().optional(),
});
export type MonitorSettings = z.infer<typeof MonitorSettings>;
