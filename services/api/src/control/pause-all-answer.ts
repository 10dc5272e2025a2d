import { z } from 'zod';
import { PresentedAsOf } from '../jobs/job-answers.js';

export const PausedAll = z
  .object({
    asked: z.int().nonnegative().describe('Jobs the broker has a request for; each shows it as `last_request`.'),
    jobs: z.array(z.object({ id: z.string(), tenant: z.string() })).describe('The first 1,000 of them.'),
    as_of: PresentedAsOf.describe('Of what monitors know: what was asked of a job since is not considered.'),
  })
  .meta({ id: 'PausedAll' });
export type PausedAll = z.infer<typeof PausedAll>;
