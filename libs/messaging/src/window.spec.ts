import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Window } from './window.js';

describe('a window', () => {
  it('lets nobody in while it is full, and then the first in line', async () => {
    const window = new Window(2, 1000);
    const leaveFirst = await window.enter(1, 1000);
    await window.enter(1, 1000);
    const order: string[] = [];
    const third = window.enter(1, 1000).then((leave) => (order.push('third'), leave));
    const fourth = window.enter(1, 1000).then(() => order.push('fourth'));
    expect(window.used).toBe(2);
    leaveFirst?.();
    leaveFirst?.();
    const leaveThird = await third;
    expect(order).toEqual(['third']);
    expect(window.used).toBe(2);
    leaveThird?.();
    await fourth;
    expect(order).toEqual(['third', 'fourth']);
  });

  it('turns away who waited too long, and lets in who stood behind and fits', async () => {
    const window = new Window(2, 10);
    await window.enter(6, 1000);
    const large = window.enter(9, 20);
    const small = window.enter(4, 5000);
    expect(await large).toBeNull();
    expect(await small).not.toBeNull();
    expect(window.used).toBe(2);
  });

  it('lets in a message larger than all its bytes, alone', async () => {
    const window = new Window(5, 10);
    const leave = await window.enter(100, 1000);
    expect(await window.enter(1, 10)).toBeNull();
    leave?.();
    expect(await window.enter(1, 10)).not.toBeNull();
  });

  it('never holds more than it may, and in the end admits everybody', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(12), { maxLength: 40 }), async (sizes) => {
        const window = new Window(3, 10);
        const held: number[] = [];
        let admitted = 0;
        await Promise.all(
          sizes.map(async (size) => {
            const leave = await window.enter(size, 5000);
            held.push(size);
            expect(held.length).toBeLessThanOrEqual(3);
            if (held.length > 1) expect(held.reduce((a, b) => a + b)).toBeLessThanOrEqual(10);
            await Promise.resolve();
            held.splice(held.indexOf(size), 1);
            admitted += 1;
            leave?.();
          }),
        );
        expect(admitted).toBe(sizes.length);
        expect(window.used).toBe(0);
      }),
    );
  });
});
