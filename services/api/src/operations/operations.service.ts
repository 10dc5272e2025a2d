import { type BrokerConnection, passiveLook } from '@expunge/messaging';
import { BROKER, within } from '@expunge/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { isPromised } from '../acceptance/acceptance.js';
import { AcceptanceRepository } from '../acceptance/acceptance.repository.js';
import { presentAsOf } from '../jobs/job-presenter.js';
import { isJobId, noSuchJob, unreachable } from '../jobs/read-problems.js';
import { MonitorsAdapter } from '../monitors/monitors.adapter.js';
import type { Listener } from '../jobs/job-answers.js';
import { listenersOf } from './listeners.js';
import type {
  PresentedDiagnosis,
  PresentedHealth,
  PresentedRollCall,
  PresentedWorkerConfig,
} from './operation-answers.js';
import { presentDiagnosis, presentHealth, presentRollCall, presentWorkerConfig } from './operations-presenter.js';
import { ownDiagnosis, ownHealth, type OwnLook, ownWorkers } from './own-look.js';

const OWN_STORE_WITHIN_MS = 2_000;
const BROKER_WITHIN_MS = 2_000;

/** Answers from a monitor; when none answers, from what this api can find out by itself. */
@Injectable()
export class Operations {
  private looking: Promise<OwnLook> | null = null;

  constructor(
    @Inject(MonitorsAdapter) private readonly monitors: MonitorsAdapter,
    @Inject(AcceptanceRepository) private readonly acceptances: AcceptanceRepository,
    @Inject(BROKER) private readonly broker: BrokerConnection,
  ) {}

  async workerConfig(): Promise<PresentedWorkerConfig> {
    const read = await this.monitors.workers();
    if (read.kind === 'answer') return presentWorkerConfig(read.answer);
    return presentWorkerConfig({ ...ownWorkers(await this.ownLook()), asOf: null });
  }

  /** @param named with the instances: to whom may know them */
  async listeners(named: boolean): Promise<Listener[]> {
    const read = await this.monitors.workers();
    return listenersOf(read.kind === 'answer' ? read.answer.queues : ownWorkers(await this.ownLook()).queues, named);
  }

  async health(): Promise<PresentedHealth> {
    const read = await this.monitors.health();
    if (read.kind === 'answer') return presentHealth(read.answer);
    return presentHealth({ ...ownHealth(await this.ownLook()), asOf: null });
  }

  /** @throws ProblemError monitor-unreachable */
  async rollCall(after: number, limit: number): Promise<PresentedRollCall> {
    const read = await this.monitors.rollCall(after, limit);
    if (read.kind !== 'answer') throw unreachable();
    const { events, next, asOf } = read.answer;
    return { events: presentRollCall(events), next, as_of: presentAsOf(asOf) };
  }

  /**
   * Of a job that no monitor tells of, as far as its acceptance is known. Where that cannot be read either, it is said
   * why, of whatever job: nothing in it tells whether there is one.
   * @throws ProblemError not-found (also for another tenant's), monitor-unreachable
   */
  async diagnosis(id: string, tenant: string): Promise<PresentedDiagnosis> {
    if (!isJobId(id)) throw noSuchJob();
    const read = await this.monitors.diagnosis(id, tenant);
    if (read.kind === 'answer') return presentDiagnosis(read.answer.diagnosis, presentAsOf(read.answer.asOf));
    const { acceptance, error } = await this.acceptanceOf(id);
    if (error !== null && read.kind === 'unreachable') {
      return presentDiagnosis(ownDiagnosis(await this.ownLook(), error), null);
    }
    if (error !== null) throw error;
    const isOwn = acceptance?.tenant === tenant && isPromised(acceptance);
    if (!isOwn) throw read.kind === 'not-found' ? noSuchJob() : unreachable();
    return presentDiagnosis(ownDiagnosis(await this.ownLook()), null);
  }

  private async acceptanceOf(id: string) {
    try {
      return { acceptance: await within(OWN_STORE_WITHIN_MS, this.acceptances.find(id)), error: null };
    } catch (error) {
      return { acceptance: null, error: error as Error };
    }
  }

  /** One at a time: each takes a channel for every queue. */
  private ownLook(): Promise<OwnLook> {
    return (this.looking ??= this.lookAtBroker().finally(() => (this.looking = null)));
  }

  private async lookAtBroker(): Promise<OwnLook> {
    const at = new Date().toISOString();
    const { connected, blocked, lastError } = this.broker;
    if (!connected) return { at, look: null, broker: lastError?.message ?? 'not connected' };
    // From a connection that it blocks the broker reads nothing.
    if (blocked !== null) return { at, look: null, broker: `it takes nothing: ${blocked}` };
    try {
      return { at, look: await within(BROKER_WITHIN_MS, passiveLook(this.broker)), broker: null };
    } catch (error) {
      return { at, look: null, broker: error instanceof Error ? error.message : String(error) };
    }
  }
}
