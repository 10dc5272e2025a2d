import { ConflictError } from '@expunge/messaging';
import type { DeletionJob, Lane } from '../../src/deletion-job/deletion-job.js';
import { withoutFlushed } from '../../src/deletion-job/emit.js';
import type { Steps } from './calls.js';

/** As HeldJob of the services. */
export class Held {
  flushed: Set<string>;

  constructor(
    public job: DeletionJob,
    flushed: readonly string[] = [],
  ) {
    this.flushed = new Set(flushed);
  }

  get lane(): Lane {
    return this.job.lanes[0];
  }

  *write(change: DeletionJob): Steps<undefined> {
    const written = (yield { do: 'write', job: withoutFlushed(change, this.flushed) }) as DeletionJob | null;
    if (!written) throw new ConflictError('the job moved on');
    this.job = written;
    this.flushed = new Set();
  }

  *flush(): Steps<undefined> {
    const events = this.job.outbox;
    if (events.length === 0) return;
    yield { do: 'append', events };
    yield { do: 'publish', events };
    for (const { id } of events) this.flushed.add(id);
  }

  *settle(): Steps<undefined> {
    yield* this.flush();
    if (this.job.outbox.length > 0) yield* this.write(this.job);
  }
}
