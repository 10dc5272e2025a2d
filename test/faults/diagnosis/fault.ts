import type { DiagnosisCode } from '@expunge/contracts';
import type { ShownDiagnosis } from '../../support/system.js';
import type { Lane } from './lane.js';

/** A tenant, its records and its job. */
export interface JobAtFault {
  readonly tenant: string;
  readonly id: string;
}

export interface JobShape {
  readonly records: number;
  readonly batchSize?: number;
  /** Records a second; what keeps it running until the fault is made. */
  readonly rate?: number;
  /** Not waited for: what of the job must have happened before the fault is made. */
  readonly onlyAccepted?: boolean;
}

export interface MadeFault {
  /** Whether what was said is so, by what the test knows of the fault; rejects, or throws, if not. */
  isTrue(said: ShownDiagnosis): void | Promise<void>;
  repair(): void | Promise<void>;
}

/** Something that goes wrong on a running system, and what has to be said of the job that it stops. */
export interface Fault {
  /** Completes "a job that stands because …". */
  readonly name: string;
  readonly code: DiagnosisCode | null;
  readonly job?: JobShape;
  /** What must be so before the job is asked for; undone by `repair`. */
  before?(lane: Lane): Promise<void>;
  make(lane: Lane, job: JobAtFault): MadeFault | Promise<MadeFault>;
  /** The broker, or the monitor, is not there to make an event of the verdict. */
  readonly isNoEvent?: boolean;
}
