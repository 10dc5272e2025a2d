import { parseArgs } from 'node:util';
import { databaseSettings, readSettings, SettingsError } from '@expunge/runtime';
import { openStore } from '@expunge/runtime/store';
import { pino } from 'pino';
import { FoldMarkRepository } from './fold/fold-mark.repository.js';
import { LedgerRepository } from './ledger/ledger.repository.js';
import { JobRepository } from './projection/job.repository.js';
import { Examination, type Verdict } from './rebuild/examination.service.js';
import { LiveJobs } from './rebuild/live-jobs.repository.js';
import { tellProgress } from './rebuild/progress.js';
import { type Outcome, Rebuild } from './rebuild/rebuild.service.js';
import { RebuiltJobs } from './rebuild/rebuilt-jobs.repository.js';

/** Folds the ledger anew and repairs the projection: `npm run rebuild`. Monitors may run meanwhile. */

const usage = `npm run rebuild [-- --check]

Folds the ledger anew, compares each job with the projection, byte for byte, and repairs what differs.
  --check  repairs nothing
Exit code: 0 all equal or repaired, 1 something differs, 2 it could not be done, 78 a setting is wrong.`;

function optionsOf(args: string[]): { check: boolean } {
  const options = { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } as const;
  try {
    const { values } = parseArgs({ args, options });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

function settingsOf(environment: NodeJS.ProcessEnv) {
  try {
    return readSettings(databaseSettings, environment);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(`rebuild cannot start:\n${error.message}`);
    process.exit(78);
  }
}

async function rebuild({ check }: { check: boolean }): Promise<Outcome> {
  const settings = settingsOf(process.env);
  const store = openStore(settings.MONGODB_URL, 'rebuild', pino({ level: 'silent' }));
  const db = store.db(`${settings.DATABASE_PREFIX}monitor`);
  const ledger = new LedgerRepository(db);
  const [live, rebuilt] = [new LiveJobs(db), new RebuiltJobs(db)];
  const [jobs, marks] = [new JobRepository(db), new FoldMarkRepository(db)];
  const examination = new Examination(live, rebuilt, ledger, jobs, marks, !check);
  try {
    return await new Rebuild(ledger, live, rebuilt, examination, {
      // On the error stream, beside what is found.
      folded: tellProgress(await ledger.size(), (line) => console.error(line)),
      leftOut: ({ message }, error) => console.log(`event ${message.id} cannot be folded: ${String(error)}`),
      found: (job, verdict) => console.log(`job ${job} ${said(verdict)}`),
    }).run();
  } finally {
    await store.close();
  }
}

function said(verdict: Exclude<Verdict, { kind: 'same' }>): string {
  if (verdict.kind === 'unheard-of') return 'is left as it is: the ledger has no event of it';
  const { path, stored, told } = verdict.difference;
  const where = path === '' ? 'differs' : `differs in ${path}`;
  return `${where}: ${stored} is stored, the ledger tells ${told}${verdict.repaired ? '; repaired' : ''}`;
}

const began = performance.now();
try {
  const outcome = await rebuild(optionsOf(process.argv.slice(2)));
  const seconds = (performance.now() - began) / 1000;
  const perSecond = Math.round(outcome.events / seconds);
  console.log(JSON.stringify({ ...outcome, seconds: Math.round(seconds * 100) / 100, events_per_second: perSecond }));
  process.exitCode = outcome.different > outcome.repaired ? 1 : 0;
} catch (error) {
  console.error(`rebuild: ${(error as Error).message}`);
  process.exitCode = 2;
}
