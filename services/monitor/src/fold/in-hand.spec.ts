import { describe, expect, it } from '@jest/globals';
import { InHand } from './in-hand.js';

describe('InHand', () => {
  it('tells since when the oldest delivery waits', () => {
    const inHand = new InHand();
    expect(inHand.waitingSince()).toBeNull();
    const first = inHand.take(1000);
    inHand.take(2000);
    expect(inHand.waitingSince()).toBe(1000);
    first.gone();
    expect(inHand.waitingSince()).toBe(2000);
  });

  it('counts as folded only what has nothing unfolded below it', () => {
    const inHand = new InHand();
    const [seven, eight] = [inHand.take(0), inHand.take(0)];
    seven.recorded(7);
    eight.recorded(8);
    eight.folded();
    eight.gone();
    expect(inHand.foldedUpTo()).toBe(6);
    seven.folded();
    seven.gone();
    expect(inHand.foldedUpTo()).toBe(8);
  });
});
