import { describe, expect, it } from '@jest/globals';
import { InHand } from './in-hand.js';

describe('InHand', () => {
  it('tells since when the oldest delivery waits', () => {
    const inHand = new InHand();
    expect(inHand.unfolded()).toEqual({ since: null, failed: false });
    const first = inHand.take('a', 1000);
    inHand.take('b', 2000);
    expect(inHand.unfolded()).toEqual({ since: 1000, failed: false });
    first.folded();
    first.gone(2500);
    expect(inHand.unfolded()).toEqual({ since: 2000, failed: false });
  });

  it('lets what failed wait since it was first there, until it is folded', () => {
    const inHand = new InHand();
    inHand.take('a', 1000).gone(1100);
    inHand.take('b', 1500);
    expect(inHand.unfolded()).toEqual({ since: 1000, failed: true });
    const again = inHand.take('a', 3000);
    expect(inHand.unfolded()).toEqual({ since: 1000, failed: true });
    again.folded();
    again.gone(3100);
    expect(inHand.unfolded()).toEqual({ since: 1500, failed: false });
  });

  describe('of what is kept by a fault of its own job', () => {
    const failing = (jobs: number) => {
      const inHand = new InHand();
      for (let i = 1; i <= jobs; i++) {
        const broken = inHand.take(`${i}`, 1000 + i);
        broken.failed({ job: `job-${i}`, message: 'TypeError' });
        broken.gone(2000);
      }
      return inHand;
    };

    it('tells the age, but not to others, also while it is tried again', () => {
      const inHand = failing(1);
      expect(inHand.unfolded().since).toBe(1001);
      expect(inHand.unfoldedOfOthers()).toEqual({ since: null, failed: true });
      inHand.take('1', 9000);
      inHand.take('other', 9500);
      expect(inHand.unfoldedOfOthers().since).toBe(9500);
    });

    it('tells it to all when there are more such jobs than are named', () => {
      expect(failing(20).unfoldedOfOthers().since).toBeNull();
      expect(failing(21).unfoldedOfOthers().since).toBe(1001);
    });
  });

  it('forgets what failed once nothing is left of it, but not while it may be on its way to a tier', () => {
    const inHand = new InHand();
    inHand.take('a', 1000).gone(2000);
    inHand.nothingLeft(7000);
    expect(inHand.unfolded()).toEqual({ since: 1000, failed: true });
    inHand.nothingLeft(7001);
    expect(inHand.unfolded()).toEqual({ since: null, failed: false });
  });

  it('keeps the first thousand of what failed', () => {
    const inHand = new InHand();
    for (let i = 0; i < 1500; i++) inHand.take(`${i}`, i).gone(i);
    for (let i = 0; i < 999; i++) inHand.take(`${i}`, 5000).folded();
    expect(inHand.unfolded().failed).toBe(true);
    inHand.take('999', 5000).folded();
    expect(inHand.unfolded().failed).toBe(false);
  });

  it('counts as folded only what has nothing unfolded below it', () => {
    const inHand = new InHand();
    const [seven, eight] = [inHand.take('a', 0), inHand.take('b', 0)];
    seven.recorded(7);
    eight.recorded(8);
    eight.folded();
    eight.gone(1);
    expect(inHand.foldedUpTo()).toBe(6);
    seven.folded();
    seven.gone(1);
    expect(inHand.foldedUpTo()).toBe(8);
  });
});
