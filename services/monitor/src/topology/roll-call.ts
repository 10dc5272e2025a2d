import {
  allWorkQueues,
  BindingChanged,
  ConsumerAttached,
  ConsumerDetached,
  MAINTENANCE_EXCHANGE,
} from '@expunge/contracts';
import { type BrokerView, ownerOf } from './broker-view.js';
import { bindingsOf } from './routes.js';

export type RollCallEvent = ConsumerAttached | ConsumerDetached | BindingChanged;

export interface Listener {
  queue: string;
  tag: string;
  host: string | null;
  version: string | null;
}

/** Who listened to which queue, and which bindings were there, when somebody last looked. */
export interface Roll {
  listeners: Listener[];
  /** `queue key`, of work queues, directly from the exchange. */
  bindings: string[];
}

export const emptyRoll: Roll = { listeners: [], bindings: [] };

/** As it is by this view; what the view could not see stays as it was. */
export function rollOf({ consumers, bindings }: BrokerView, before: Roll): Roll {
  const queues = allWorkQueues.map(({ name }) => name);
  return {
    listeners: consumers
      ? consumers
          .filter(({ queue }) => queues.includes(queue))
          .map(({ queue, tag, connection }) => ({
            queue,
            tag,
            host: connection?.host ?? null,
            version: connection?.version ?? null,
          }))
          .toSorted((a, b) => compareText(keyOf(a), keyOf(b)))
      : before.listeners,
    bindings: bindings
      ? queues
          .flatMap((queue) =>
            bindingsOf(bindings, queue)
              .filter(({ through }) => through === null)
              .map(({ key }) => `${queue} ${key}`),
          )
          .toSorted(compareText)
      : before.bindings,
  };
}

/** What changed from one roll to the next, as events; `number` is the roll's, and makes their ids. */
export function changesBetween(
  before: Roll,
  after: Roll,
  { number, time, source }: { number: number; time: string; source: string },
): RollCallEvent[] {
  const made = (subject: string, place: number) => ({ id: `roll-call:${number}:${place}`, source, subject, time });
  const had = new Set(before.listeners.map(keyOf));
  const has = new Set(after.listeners.map(keyOf));
  const bound = new Set(before.bindings);
  const isBound = new Set(after.bindings);
  const events: ((place: number) => RollCallEvent)[] = [
    ...before.listeners
      .filter((one) => !has.has(keyOf(one)))
      .map((one) => (place: number) => ConsumerDetached.create({ ...made(one.queue, place), data: told(one) })),
    ...after.listeners
      .filter((one) => !had.has(keyOf(one)))
      .map((one) => (place: number) => ConsumerAttached.create({ ...made(one.queue, place), data: told(one) })),
    ...before.bindings.filter((one) => !isBound.has(one)).map((one) => bindingChanged(one, false, made)),
    ...after.bindings.filter((one) => !bound.has(one)).map((one) => bindingChanged(one, true, made)),
  ];
  return events.map((create, place) => create(place));
}

function bindingChanged(
  binding: string,
  present: boolean,
  made: (subject: string, place: number) => { id: string; source: string; subject: string; time: string },
): (place: number) => BindingChanged {
  const [queue = '', bindingKey = ''] = binding.split(' ');
  return (place) =>
    BindingChanged.create({
      ...made(queue, place),
      data: { exchange: MAINTENANCE_EXCHANGE, queue, bindingKey, present },
    });
}

function told({ queue, tag, host, version }: Listener): ConsumerAttached['data'] {
  const owner = ownerOf(tag);
  return {
    queue,
    consumerTag: tag,
    service: owner?.service ?? null,
    instance: owner?.instance ?? null,
    host,
    version,
  };
}

const keyOf = ({ queue, tag }: Listener): string => `${queue} ${tag}`;
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
