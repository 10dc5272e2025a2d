import { Timestamp } from '@expunge/contracts';
import { z } from 'zod';

const Count = z.int().nonnegative();
const text = z.string().nullable();

export const PresentedParkedMessage = z.object({
  message_id: text,
  type: text,
  job: text,
  tenant: text,
  reason: z.string(),
  parked_at: Timestamp.nullable(),
  first_death_queue: text,
  attempt: Count,
  size: Count.describe('Bytes.'),
});
export type PresentedParkedMessage = z.infer<typeof PresentedParkedMessage>;

export const PresentedParkedQueue = z
  .object({ queue: z.string(), count: Count, messages: z.array(PresentedParkedMessage) })
  .meta({ id: 'ParkedQueue' });
export type PresentedParkedQueue = z.infer<typeof PresentedParkedQueue>;

export const PresentedParked = z.object({ queues: z.array(PresentedParkedQueue) }).meta({ id: 'Parked' });
export type PresentedParked = z.infer<typeof PresentedParked>;

export const PresentedReplay = z
  .object({ queue: z.string(), replayed: Count, remaining: Count })
  .meta({ id: 'Replay' });
export type PresentedReplay = z.infer<typeof PresentedReplay>;
