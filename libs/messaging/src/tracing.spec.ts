import { describe, expect, it } from '@jest/globals';
import { carriesTrace, isTraced, originOf } from './tracing.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a delivery', () => {
  it('goes on with the trace of its message', () => {
    expect(originOf({ type: 'BatchDeleted', traceparent }, 1)).toEqual({ parent: traceparent });
    expect(originOf({ type: 'BatchDeleted', traceparent }, 5)).toEqual({ parent: traceparent });
  });

  it('is only linked to it once it was tried so often that the trace would never end', () => {
    expect(originOf({ type: 'BatchDeleted', traceparent }, 6)).toEqual({ parent: null, links: [traceparent] });
  });

  it.each(['VerificationRequested', 'ObjectCheckRequested', 'JobCompleted'])(
    'of %s, which comes when all is deleted, is only linked to it',
    (type) => {
      expect(originOf({ type, traceparent }, 1)).toEqual({ parent: null, links: [traceparent] });
    },
  );

  it('begins one where its message has none', () => {
    expect(originOf({ type: 'BatchDeleted' }, 1)).toEqual({ parent: null });
  });
});

describe('a message', () => {
  it.each(['WorkerHeartbeat', 'ProjectionChanged', 'FoldProbe'])('of type %s is not traced', (type) => {
    expect([isTraced({ type }), carriesTrace({ type })]).toEqual([false, false]);
  });

  it('carries the trace under way', () => {
    expect(carriesTrace({ type: 'ObjectsPurged' })).toBe(true);
  });

  it.each([
    ['a slice, which goes on for as long as its job', { type: 'SliceDue' }],
    ['a numbered event, which is the same at each publish', { type: 'BatchDeleted', sequence: 2 }],
  ])('does not, if it is %s', (_, message) => {
    expect([isTraced(message), carriesTrace(message)]).toEqual([true, false]);
  });
});
