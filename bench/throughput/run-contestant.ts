import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startLocalStack } from '@expunge/local-stack';
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
  return runProcess('floor', subject, fill, tuning);
}

export async function runOriginal(subject: Subject, fill: Fill): Promise<Run> {
  return runProcess('original', subject, fill, tunedFor(fill.files));
}

async function runProcess(script: 'floor' | 'original', subject: Subject, fill: Fill, tuning: Tuning): Promise<Run> {
  const place = await openPlace(subject.bucket, fill);
  const { env, ...servers } = place.servers;
  const stack = await startLocalStack({ ...servers, env: { ...env, ...noBroker } });
  const child = fork(builtBench(`throughput/${script}`), { env: plainEnvironment() });
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
      tuning,
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
