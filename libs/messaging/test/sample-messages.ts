import { EventsWanted, type Message, SliceDue, sliceId } from '@expunge/contracts';

/** Routed to `deleter.jobs`. */
export function eventsWanted(n: number): EventsWanted {
  return EventsWanted.create({
    id: `events-wanted-${n}`,
    source: '/test',
    subject: `job-${n}`,
    time: '2026-11-23T12:00:00.000Z',
    data: { after: n },
  });
}

/** Sent to `deleter.slices`. */
export function sliceDue(turn: number): SliceDue {
  return SliceDue.create({
    id: sliceId('job-1', 0, turn),
    source: '/test',
    subject: 'job-1',
    time: '2026-11-23T12:00:00.000Z',
    data: { lane: 0, turn },
  });
}

export const bytes = (message: Message): Buffer => Buffer.from(JSON.stringify(message));
