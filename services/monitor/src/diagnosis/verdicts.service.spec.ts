import type { Diagnosis } from '@expunge/contracts';
import type { Publisher } from '@expunge/messaging';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { JobRepository } from '../projection/job.repository.js';
import { NOW, standing } from '../testing/situation.js';
import { Story } from '../testing/story.js';
import type { DiagnosisService } from './diagnosis.service.js';
import { Verdicts } from './verdicts.service.js';

const unreachable = { code: 'BROKER:UNREACHABLE', severity: 'blocking', summary: 'away' } as unknown as Diagnosis;

function verdicts(broker: { connected: boolean; blocked: string | null }) {
  const told: string[] = [];
  const state = { away: false, refuses: false };
  const stored = standing(new Story('job-1', NOW.getTime()).requested());
  async function* toDiagnose() {
    await Promise.resolve();
    if (state.away) throw new Error('no database');
    yield stored;
  }
  const made = new Verdicts({
    jobs: { toDiagnose } as unknown as JobRepository,
    diagnosis: {
      circumstances: () => Promise.resolve({ now: NOW }),
      of: () => unreachable,
    } as unknown as DiagnosisService,
    broker,
    publisher: {
      publish: (message: { type: string }) =>
        state.refuses ? Promise.reject(new Error('unroutable')) : Promise.resolve(void told.push(message.type)),
    } as unknown as Publisher,
    log: pino({ level: 'silent' }),
  });
  return { made, told, state };
}

const counted = { statuses: new Map([['queued', 1]]), codes: new Map([['BROKER:UNREACHABLE', 1]]) };

describe('verdicts', () => {
  it('are events once they have stood for two rounds', async () => {
    const { made, told } = verdicts({ connected: true, blocked: null });
    await made.run();
    expect(told).toEqual([]);
    await made.run();
    expect(told).toEqual(['JobDiagnosisChanged']);
  });

  it.each([
    ['away', { connected: false, blocked: null }],
    ['taking nothing', { connected: true, blocked: 'low on memory' }],
  ])('are counted, and told to nobody, with the broker %s', async (_, broker) => {
    const { made, told } = verdicts(broker);
    await made.run();
    await made.run();
    expect([made.counted, told]).toEqual([counted, []]);
  });

  it('are counted where the broker refuses what is told, and told once it does not', async () => {
    const { made, told, state } = verdicts({ connected: true, blocked: null });
    await made.run();
    state.refuses = true;
    await expect(made.run()).rejects.toThrow('unroutable');
    await expect(made.run()).rejects.toThrow('unroutable');
    expect([made.counted, told]).toEqual([counted, []]);
    state.refuses = false;
    await made.run();
    expect(told).toEqual(['JobDiagnosisChanged']);
  });

  it('are not known while the database is away', async () => {
    const { made, state } = verdicts({ connected: true, blocked: null });
    await made.run();
    state.away = true;
    await expect(made.run()).rejects.toThrow('no database');
    expect(made.counted).toBeNull();
  });
});
