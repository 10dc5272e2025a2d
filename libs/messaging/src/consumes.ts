import type { transientQueues, WorkQueue } from '@expunge/contracts';
import { applyDecorators, UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { ErrorPassThroughFilter } from './error-pass-through.filter.js';

export type TransientKind = keyof typeof transientQueues;

/** What a controller's method consumes: a work queue, or this instance's own transient one. */
export type Consumed = WorkQueue | { transient: TransientKind };

/**
 * The method handles the messages of one queue: `(@Payload() message: AnyMessage, @Ctx() delivery: Delivery)`.
 * The message was parsed and validated. Returning acknowledges it; throwing leaves it to settlement (errors.ts).
 * One method a queue: a second one would share its deliveries.
 */
export function Consumes(consumed: Consumed): MethodDecorator {
  const pattern = 'transient' in consumed ? `transient:${consumed.transient}` : consumed.name;
  // Without the type argument another overload is taken, whose decorator fits no typed handler (TS1241).
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-arguments
  const handles = EventPattern<string>(pattern, { consumes: consumed });
  return applyDecorators(handles, UseFilters(new ErrorPassThroughFilter()));
}
