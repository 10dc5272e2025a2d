import { describe, expect, test } from '@jest/globals';
import { type BrokerView, nothingSeen, type SeenQueue } from './broker-view.js';
import { type Paces, pacesAfter } from './paces.js';

const at = (seconds: number) => new Date(Date.parse('2026-11-01T10:00:00.000Z') + seconds * 1000).toISOString();
const view = (
  seconds: number,
  counts: (Partial<SeenQueue> & Pick<SeenQueue, 'acknowledged' | 'redelivered'>) | null,
): BrokerView => ({
  ...nothingSeen(at(seconds), null),
  queues: counts && [{ name: 'q', ready: 1, unacknowledged: 0, consumerCount: 1, ...counts }],
});
const after = (...views: BrokerView[]) =>
  views.reduce<Paces>((paces, one) => pacesAfter(paces, one), new Map()).get('q');
const counted = (acknowledged: number, redelivered: number) => ({ acknowledged, redelivered });
const held = (acknowledged: number, unacknowledged: number) => ({ acknowledged, unacknowledged, redelivered: 0 });

describe('the pace of a queue', () => {
  test('begins when it is seen, and anew with each acknowledgement', () => {
    expect(after(view(0, counted(7, 3)), view(2, counted(7, 9)))).toEqual({
      acknowledged: 7,
      since: at(0),
      redeliveredBefore: 3,
      redelivered: 9,
      seenAt: at(2),
      heldAt: [],
    });
    expect(after(view(0, counted(7, 3)), view(2, counted(8, 9)))).toMatchObject({ since: at(2), redeliveredBefore: 9 });
  });

  test.each([
    ['no answer', null],
    ['an answer without counts', { acknowledged: null, redelivered: null }],
  ])('goes on over %s', (_, none) => {
    const paces = after(view(0, counted(7, 3)), view(2, none), view(4, none), view(6, counted(7, 9)));
    expect(paces).toMatchObject({ since: at(0), redeliveredBefore: 3, redelivered: 9 });
  });

  test('is not known any more when nothing was told for long', () => {
    const before = [view(0, counted(7, 3)), view(16, null)];
    expect(after(...before)).toBeUndefined();
    expect(after(...before, view(18, counted(7, 9)))).toMatchObject({ since: at(18), redeliveredBefore: 9 });
  });

  test('tells at which looks messages were held, until none is', () => {
    const views = [view(0, held(7, 0)), view(2, held(7, 1)), view(4, null), view(6, held(7, 3))];
    expect(after(...views)?.heldAt).toEqual([at(2), at(6)]);
    expect(after(...views, view(8, held(8, 3)))?.heldAt).toEqual([at(2), at(6), at(8)]);
    expect(after(...views, view(8, held(7, 0)))?.heldAt).toEqual([]);
    expect(after(...views, view(16, held(7, 1)), view(26, held(7, 1)))?.heldAt).toEqual([at(6), at(16), at(26)]);
  });

  test('begins anew where the broker counts anew', () => {
    expect(after(view(0, counted(0, 30)), view(2, counted(0, 1)))).toMatchObject({
      since: at(2),
      redeliveredBefore: 1,
    });
  });
});
