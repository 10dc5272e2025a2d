import { type NotChecked, ResourceCheck, type ResourceChecked } from '@expunge/contracts';
import { z } from 'zod';

const ok = z.boolean().nullable();

export const PresentedResourceCheck = z
  .object({
    resource: z.string(),
    ok: ok.describe('Each check is; false: one is not; null: what could not be found out may not be.'),
    checks: z.array(ResourceCheck.extend({ service: z.string(), instance: z.string() })),
    not_checked: z.array(z.object({ what: z.string(), why: z.string() })),
  })
  .meta({ id: 'ResourceCheck', description: 'Whether a resource can be deleted from.' });
export type PresentedResourceCheck = z.infer<typeof PresentedResourceCheck>;

type Answer = ResourceChecked['data'];

/** Of several instances of one service the first that has answered speaks for it. */
export function presentResourceCheck(
  resource: string,
  answers: readonly Answer[],
  notChecked: readonly NotChecked[],
): PresentedResourceCheck {
  const checks = answers.flatMap(({ checks: found, service, instance }) =>
    found.map((one) => ({ ...one, service, instance })),
  );
  const isWrong = checks.some((check) => check.ok === false);
  const isUnknown = notChecked.length > 0 || checks.some((check) => check.ok === null);
  return { resource, ok: isWrong ? false : isUnknown ? null : true, checks, not_checked: [...notChecked] };
}
