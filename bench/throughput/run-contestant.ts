import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startLocalStack } from '@expunge/local-stack';
import { BATCH, does, type Step } from '../promises/steps.js';
import type { Measured, Task } from './contestant.js';
import { type Fill, noBroker } from './fill.js';
import { tunedFor, type Tuning } from './floor-tuning.js';
import { builtBench, plainEnvironment } from './memory-bucket.js';
import { openPlace, serverPids } from './place.js';
import { usedBy } from './processes.js';
import { startRedis } from './redis.js';
import { type Run, runOf, type Subject } from './run.js';

/** Tuned as it was found best, unless told. */
export async function runFloor(subject: Subject, fill: Fill, tuning = tunedFor(fill.files)): Promise<Run> {
  return runProcess('floor', subject, fill, { tuning, step: 'floor' });
}

export async function runOriginal(subject: Subject, fill: Fill): Promise<Run> {
  return runProcess('original', subject, fill, { tuning: tunedFor(fill.files), step: 'floor' });
}

/** The floor's own loop as far as it can be told to do the step, then the one that is made of the deleter's parts. */
export async function runStep(step: Exclude<Step, 'expunge'>, subject: Subject, fill: Fill): Promise<Run> {
  const tuned = tunedFor(fill.files);
  const tuning = does(step, 'batches') ? { ...tuned, page: BATCH } : tuned;
  return runProcess(does(step, 'conditions') ? 'loop' : 'floor', subject, fill, { tuning, step });
}

const scripts = { floor: 'throughput/floor', original: 'throughput/original', loop: 'promises/loop' } as const;

async function runProcess(
  script: keyof typeof scripts,
  subject: Subject,
  fill: Fill,
  how: { tuning: Tuning; step: Step },
): Promise<Run> {
  const place = await openPlace(subject.bucket, fill);
  const { env, ...servers } = place.servers;
  const stack = await startLocalStack({ ...servers, env: { ...env, ...(!does(how.step, 'events') && noBroker) } });
  const child = fork(builtBench(scripts[script]), { env: plainEnvironment() });
  try {
    const redis = script === 'original' ? await startRedis(stack) : null;
    const own = { [script]: child.pid ?? 0, ...(redis && { redis: redis.pid }) };
    const pids = { ...own, ...serverPids(stack), ...place.pids };
    const { endpoint, region, accessKeyId, secretAccessKey, bucket } = stack.s3;
    const task: Task = {
      mongodbUrl: stack.mongodb.recordsUrl,
      s3: { endpoint, region, accessKeyId, secretAccessKey, bucket },
      warmUpTenant: fill.warmUp.name,
      tenant: fill.measured.name,
      ...how,
      expunge: { mongodbUrl: stack.mongodb.url, rabbitmqUrl: stack.rabbitmq.url },
      redisSocket: redis?.socket ?? '',
    };
    const said = () =>
      Promise.race([
        once(child, 'message').then(([message]) => message as unknown),
        once(child, 'exit').then(() => {
          throw new Error(`${script} ended before its time`);
        }),
      ]);
    const ready = said();
    child.send(task);
    await ready;
    const before = usedBy(pids);
    const result = said();
    child.send('go');
    const took = (await result) as Measured;
    const run = runOf(subject, took, before, usedBy(pids));
    await place.check(stack);
    return run;
  } finally {
    child.kill('SIGKILL');
    await stack.stop();
    await place.close();
  }
}
