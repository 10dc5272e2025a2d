import type { Vhost } from '@expunge/local-stack';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Beats, listenToBeats } from '../../../test/support/beats.js';
import { Door } from '../../../test/support/door.js';
import { seen } from '../../../test/support/seen.js';
import { type Database, freshDatabase, freshVhost } from '../../../test/support/servers.js';
import { builtMain, type ServiceProcess, startProcess } from '../../../test/support/service-process.js';

jest.setTimeout(180_000);

/** Less than the 5 s between two heartbeats that nothing has called for. */
const AT_ONCE_MS = 4_500;

describe('a service whose store is unreachable', () => {
  let vhost: Vhost;
  let database: Database;
  let door: Door;
  let beats: Beats;
  let service: ServiceProcess;
  beforeAll(async () => {
    [vhost, database] = [await freshVhost(), await freshDatabase('problems')];
    door = new Door(database.url);
    beats = await listenToBeats(vhost.url);
    service = startProcess(builtMain('deleter'), {
      INSTANCE: 'deleter-1',
      RABBITMQ_URL: vhost.url,
      MONGODB_URL: database.url,
      RECORDS_MONGODB_URL: door.url,
    });
  });
  afterAll(async () => {
    service.kill('SIGKILL');
    await service.exited;
    await beats.close();
    await door.shut();
    await database.drop();
    await vhost.drop();
  });

  const codes = (at = -1) => {
    const problems = beats.heard.at(at)?.data.problems;
    return problems && Object.fromEntries(Object.entries(problems).map(([name, { code }]) => [name, code]));
  };
  /** The place of the first beat from `from` on that tells just these, by name and code. */
  const toldFrom = async (from: number, told: Record<string, string>): Promise<number> => {
    const isTold = (i: number) => JSON.stringify(codes(i)) === JSON.stringify(told);
    const found = await seen(`a heartbeat tells ${JSON.stringify(told)}`, () =>
      beats.heard
        .map((_, i) => i)
        .filter((i) => i >= from && isTold(i))
        .map(String)
        .at(0),
    );
    return Number(found);
  };
  const since = (at: number) => Date.parse(beats.heard[at]!.time) - Date.parse(beats.heard[at - 1]!.time);

  it('starts, and beats: not ready, and which store does not answer', async () => {
    const at = await toldFrom(0, { records: 'UNREACHABLE' });
    const { data } = beats.heard[at]!;
    expect(data).toMatchObject({ state: 'running', ready: false, inHand: { 'deleter.jobs': 0, 'deleter.slices': 0 } });
    expect(data.consumes).toEqual(expect.arrayContaining(['deleter.jobs', 'deleter.slices']));
    expect(data.untouchedMs).toEqual({});
    expect(data.problems?.['records']?.message).toContain('ENOENT');
    await seen('it beats on', () => beats.heard.length >= at + 3);
    expect(codes()).toEqual({ records: 'UNREACHABLE' });
  });

  it('tells at once when the store is there, and when it is away again', async () => {
    const atOnce = { there: false, away: false };
    // A busy machine may be late once. What nothing calls for is never early.
    for (let i = 0; i < 6 && !(atOnce.there && atOnce.away); i++) {
      const turn = i % 2 === 0 ? 'there' : 'away';
      const before = beats.heard.length;
      // Right after a heartbeat of the timer: the next of its kind is 5 s away.
      await seen('a heartbeat', () => beats.heard.length > before);
      await (turn === 'there' ? door.open() : door.shut());
      const at = await toldFrom(before, turn === 'there' ? {} : { records: 'UNREACHABLE' });
      expect(beats.heard[at]?.data.ready).toBe(turn === 'there');
      atOnce[turn] ||= since(at) < AT_ONCE_MS;
    }
    expect(atOnce).toEqual({ there: true, away: true });
  });
});
