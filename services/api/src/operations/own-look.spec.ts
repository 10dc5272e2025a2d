import { TransientError } from '@expunge/messaging';
import { expect, test } from '@jest/globals';
import { ownDiagnosis } from './own-look.js';

const own = { at: '2026-11-01T10:00:00.000Z', look: null, broker: 'not connected' };

test('without a monitor, one is to be started', () => {
  expect(ownDiagnosis(own)).toMatchObject({
    code: 'MONITOR:STALE',
    nextActions: ['Start a monitor, or look into its log.'],
  });
});

test('without the own database either, that alone is to be started: monitors that run cannot answer without theirs', () => {
  const { code, nextActions, contributing } = ownDiagnosis(own, new TransientError('API_STORE_UNAVAILABLE', 'away'));
  expect({ code, nextActions }).toEqual({
    code: 'STORE:MONGO_UNAVAILABLE',
    nextActions: ['Start MongoDB, or look at the network between it and the services.'],
  });
  expect(contributing.map((finding) => finding.code)).toEqual(['MONITOR:STALE']);
});
