import { type Step, steps } from '../promises/steps.js';
import type { Recorded } from '../results.js';
import type { Run } from '../throughput/run.js';
import { median, type Ratio, spreadOf } from './ratios.js';
import { asTable, whole } from './table.js';

type StepRun = Omit<Run, 'contestant'> & { step: Step };

/** One step with one number of files: medians over its turns. */
export interface StepCost {
  files: number;
  step: Step;
  runs: number;
  recordsPerSecond: number;
  /** Records a second to those of the floor in the same turn. */
  toFloor: Ratio | null;
  /** Processor time in ms for 1,000 records: of the loop, or of Expunge's services, and of the servers. */
  loopMs: number;
  serversMs: number;
  /** Of all processes, what the step takes more than the one before; null of the first. */
  moreMs: number | null;
}

const isServer = (process: string): boolean => ['mongodb', 'rabbitmq', 'bucket', 's3'].includes(process);
const isAny = (): boolean => true;

export function stepCosts(recorded: readonly Recorded[]): StepCost[] {
  const runs = recorded.filter(({ name }) => name === 'promises').map((run) => run as unknown as StepRun);
  const files = [...new Set(runs.map((run) => run.files))].sort((a, b) => a - b);
  return files.flatMap((n) => {
    const ofFiles = runs.filter((run) => run.files === n);
    const found = steps.filter((step) => ofFiles.some((run) => run.step === step));
    return found.map((step, i) => costOf(ofFiles, n, step, found[i - 1]));
  });
}

function costOf(runs: readonly StepRun[], files: number, step: Step, before: Step | undefined): StepCost {
  const of = (which: Step) => runs.filter((run) => run.step === which);
  const cpuMs = (which: Step, isCounted: (process: string) => boolean) =>
    median(of(which).map((run) => cpuMsOf(run, isCounted)));
  const ratios = of(step).flatMap((run) => {
    const floor = of('floor').find(({ turn }) => turn === run.turn);
    return floor ? [run.records_per_second / floor.records_per_second] : [];
  });
  return {
    files,
    step,
    runs: of(step).length,
    recordsPerSecond: median(of(step).map((run) => run.records_per_second)),
    toFloor: spreadOf(ratios),
    loopMs: cpuMs(step, (process) => !isServer(process)),
    serversMs: cpuMs(step, isServer),
    moreMs: before === undefined ? null : cpuMs(step, isAny) - cpuMs(before, isAny),
  };
}

/** For 1,000 records. */
function cpuMsOf({ cpu_seconds: seconds, records }: StepRun, isCounted: (process: string) => boolean): number {
  const counted = Object.entries(seconds).filter(([process]) => isCounted(process));
  return (1_000_000 * counted.reduce((sum, [, one]) => sum + one, 0)) / records;
}

const HEAD = [
  'files',
  'step',
  'runs',
  'records/s',
  'to the floor',
  'CPU ms/1,000 records: loop or services',
  'servers',
  'more than the step before',
];

const signed = (ms: number): string => (ms < 0 ? ms.toFixed(1) : `+${ms.toFixed(1)}`);

export function stepTable(costs: readonly StepCost[]): string {
  const ratio = ({ min, median: middle, max }: Ratio) =>
    `${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  const rows = costs.map((cost) => [
    String(cost.files),
    cost.step,
    String(cost.runs),
    whole(cost.recordsPerSecond),
    cost.toFloor ? ratio(cost.toFloor) : '',
    cost.loopMs.toFixed(1),
    cost.serversMs.toFixed(1),
    cost.moreMs === null ? '' : signed(cost.moreMs),
  ]);
  return asTable([HEAD, ...rows]);
}
