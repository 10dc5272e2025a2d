import type { Message } from '@expunge/contracts';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ChangeNotices } from './change-notices.service.js';

let said: Message[];
let notices: ChangeNotices;
const written = (id: string, position: number) => notices.written({ id, tenant: 'acme', position, status: 'running' });

beforeEach(() => {
  jest.useFakeTimers();
  said = [];
  const say = (_key: string, make: () => Message | null) => {
    const message = make();
    if (message) said.push(message);
    return Promise.resolve();
  };
  notices = new ChangeNotices({ say }, 100);
});

const positions = () => said.map(({ subject, data }) => [subject, (data as { position: number }).position]);

describe('a job that is written', () => {
  it('is told of at once, and of what comes within 100 ms once, with the last', () => {
    for (const position of [1, 2, 3]) written('a', position);
    expect(positions()).toEqual([['a', 1]]);
    jest.advanceTimersByTime(100);
    expect(positions()).toEqual([
      ['a', 1],
      ['a', 3],
    ]);
    jest.advanceTimersByTime(1000);
    expect(said).toHaveLength(2);
  });

  it('keeps no other one waiting', () => {
    written('a', 1);
    written('b', 2);
    expect(positions()).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('is told of at once again after a pause', () => {
    written('a', 1);
    jest.advanceTimersByTime(100);
    written('a', 2);
    expect(positions()).toEqual([
      ['a', 1],
      ['a', 2],
    ]);
  });
});
