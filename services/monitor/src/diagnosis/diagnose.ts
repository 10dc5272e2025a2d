import { type Diagnosis, diagnosisCodes } from '@expunge/contracts';
import { ofBroker } from './broker-will.js';
import type { Circumstances, JobInQuestion } from './circumstances.js';
import { ofConsumption } from './consumption.js';
import { ofDelivery } from './delivery.js';
import { evidence, found, type Found } from './finding.js';
import { ofFreshness } from './freshness.js';
import { ofIntent, ownLimitInForce } from './intended.js';
import { isOver, isQuiet, type Leg, legsOf } from './legs.js';
import { ofOutcome, ofRefusals } from './outcome.js';
import { ofProgress } from './progress.js';
import { ofRouting } from './routing.js';
import { ofStores } from './stores.js';

const noDiagnosis: Diagnosis = {
  code: null,
  severity: null,
  since: null,
  summary: null,
  evidence: [],
  nextActions: [],
  contributing: [],
  notChecked: [],
};

/** Waits that end by themselves: whatever is broken beside them, or is what they wait for, comes first. */
const isWait = ({ code }: Found): boolean => code.startsWith('THROTTLE:');

/** Why a job does not move; the first broken link on its way is the verdict, the others contribute. */
export function diagnose(question: JobInQuestion, circumstances: Circumstances): Diagnosis {
  const { job } = question;
  const { notChecked } = circumstances;
  if (isOver(job)) return verdictOf(ofOutcome(question, circumstances), [...notChecked]);
  const intended = ofIntent(question, circumstances);
  const isPaced = intended.some(isWaitForRate) && ownLimitInForce(question, circumstances) !== null;
  const standing = legsOf(question, circumstances.now).filter((leg) => isQuiet(leg) && !isExplained(leg, isPaced));
  const broken = standing.flatMap((leg) => brokenLinks(leg, question, circumstances));
  const stale = ofFreshness(question, circumstances);
  const all = [...stale, ...intended, ...once([...broken, ...ofRefusals(question, circumstances)])];
  if (all.length === 0 && standing.length > 0) all.push(unknown(standing, circumstances));
  return verdictOf(ordered(all), [...notChecked]);
}

const isWaitForRate = ({ code }: Found): boolean => code === 'THROTTLE:RATE';

/**
 * A leg that waits as it was told to need not be looked at; one that waits for others of them must. Also one at the limit
 * of all jobs, which says of no single job how long it waits.
 */
const isExplained = ({ part }: Leg, isPaced: boolean): boolean => part === 'records' && isPaced;

function brokenLinks(leg: Leg, question: JobInQuestion, circumstances: Circumstances): Found[] {
  return [
    ...ofRouting(leg, circumstances),
    ...ofBroker(circumstances),
    ...ofDelivery(leg, question, circumstances),
    ...ofConsumption(leg, circumstances),
    ...ofStores(leg, question, circumstances),
    ...ofProgress(leg, question.job.id, circumstances),
  ];
}

/** The same link may lie on several ways. */
function once(all: readonly Found[]): Found[] {
  return [...new Map(all.map((one) => [`${one.code} ${one.summary}`, one])).values()];
}

function ordered(all: readonly Found[]): Found[] {
  const noBroker = all.some(({ code }) => code === 'BROKER:UNREACHABLE' || code === 'BROKER:NO_PERMISSION');
  const isLater = (one: Found) => isWait(one) || (noBroker && one.code === 'MONITOR:STALE');
  const place = (one: Found) => diagnosisCodes.indexOf(one.code) + (isLater(one) ? diagnosisCodes.length : 0);
  return all.toSorted((a, b) => place(a) - place(b));
}

function verdictOf([first, ...others]: readonly Found[], notChecked: Diagnosis['notChecked']): Diagnosis {
  if (!first) return { ...noDiagnosis, notChecked };
  const { code, severity, since, summary, evidence, nextActions } = first;
  const contributing = others.map((other) => ({
    code: other.code,
    severity: other.severity,
    summary: other.summary,
    evidence: other.evidence,
  }));
  return { code, severity, since, summary, evidence, nextActions, contributing, notChecked };
}

function unknown(standing: readonly Leg[], { now, notChecked }: Circumstances): Found {
  const awaits = standing.map((leg) => `${leg.awaits} since ${leg.since.toISOString()}`).join('; ');
  const unchecked = notChecked.map(({ what }) => what).join(', ');
  const checked = unchecked === '' ? 'all was looked at' : `not looked at: ${unchecked}`;
  return found(
    'UNKNOWN:INSUFFICIENT_EVIDENCE',
    'warning',
    `Waits for ${awaits}; nothing that was looked at is wrong (${checked}).`,
    {
      since: standing[0]?.since.toISOString() ?? null,
      evidence: [
        evidence('monitor', 'links on the way of the job', {
          observed: checked,
          expected: 'a broken one',
          at: now.toISOString(),
        }),
      ],
      nextActions: ['Look into the logs of the services for this job.'],
    },
  );
}
