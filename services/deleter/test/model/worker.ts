import { ConflictError } from '@expunge/messaging';
import { resolveFenced } from './answer.js';
import type { Handler } from './calls.js';
import { DELETE } from './requests.js';
import { accept, take, Waits } from './request-handler.js';
import type { Rules } from './rules.js';
import { batch, slice } from './slice.js';
import type { Stage } from './stage.js';
import type { At, Message, Size, Worker, World } from './world.js';

function handlerOf({ name, life }: Worker, message: Message, stage: Stage, size: Size, rules: Rules): Handler {
  const self = { instance: name, process: `${name}.${life}`, steps: size.steps, rules };
  if (stage.part === 'batches') return batch(stage, self);
  if (stage.part === 'fenced') return resolveFenced(stage, name, rules);
  if ('slice' in message) return slice(message.slice, self);
  return message.request === DELETE ? accept(name, rules, size.begins) : take(message.request, name, rules);
}

/** The worker makes its next call, or acknowledges. Null: it still waits for an answer. */
export function step(world: World, worker: Worker, size: Size, rules: Rules): World | null {
  const { at } = worker;
  if (!at) return null;
  if (!at.next) return acknowledged(world, worker, at.message);
  const outcome = rules.perform(world, worker.name, at.next, size);
  if (!outcome) return null;
  const [answer, after] = outcome;
  return goOn(after, worker, { ...at, answers: [...at.answers, answer] }, size, rules);
}

export function begin(world: World, worker: Worker, message: Message, size: Size, rules: Rules): World {
  const at: At = { message, stage: { part: 'message' }, answers: [], next: null };
  const taken = goOn(world, worker, at, size, rules);
  // Its first call is to read the job: nothing it could meet on the way there tells the two apart.
  const begun = taken.workers.find(({ name }) => name === worker.name);
  return (begun && step(taken, begun, size, rules)) ?? taken;
}

/** Up to the next call: what the handler does between two answers takes no time. */
function goOn(world: World, worker: Worker, at: At, size: Size, rules: Rules): World {
  let { stage, answers } = at;
  for (;;) {
    const handler = handlerOf(worker, at.message, stage, size, rules);
    try {
      let result = handler.next();
      for (const answer of answers) result = handler.next(answer);
      while (!result.done && result.value.do === 'clock') {
        answers = [...answers, world.clock];
        result = handler.next(world.clock);
      }
      if (!result.done) return become(world, { ...worker, at: { ...at, stage, answers, next: result.value } });
      if (!result.value) return become(world, { ...worker, at: { ...at, stage, answers: [], next: null } });
      stage = result.value;
      answers = [];
    } catch (error) {
      if (error instanceof ConflictError) {
        return become(world, { ...worker, at: { ...at, stage, answers: [], next: null } });
      }
      if (error instanceof Waits) return become(back(world, at.message), { ...worker, at: null });
      throw error;
    }
  }
}

export const become = (world: World, worker: Worker): World => ({
  ...world,
  workers: world.workers.map((other) => (other.name === worker.name ? worker : other)),
});

/** The message is in its queue again. */
export const back = (world: World, message: Message): World =>
  'slice' in message
    ? { ...world, slices: [...world.slices, message.slice] }
    : { ...world, requests: [...world.requests, message.request].sort() };

function acknowledged(world: World, worker: Worker, message: Message): World {
  const after = become(world, { ...worker, at: null });
  if ('slice' in message) return after;
  const handled = [...new Set([...world.past.handled, message.request])].sort();
  return { ...after, past: { ...world.past, handled } };
}
