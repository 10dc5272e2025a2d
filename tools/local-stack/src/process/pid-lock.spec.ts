import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type PidLock, tryLock, withLock } from './pid-lock.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'expunge-lock-'));
  file = join(folder, 'start.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is held by one, who is named', () => {
  const lock = tryLock(file) as PidLock;
  expect(tryLock(file)).toEqual({ heldBy: process.pid });
  lock.release();
  expect(existsSync(file)).toBe(false);
});

it('passes from a dead process to whoever asks', () => {
  writeFileSync(file, `${spawnSync('true').pid} 1`);
  expect(tryLock(file)).toHaveProperty('release');
});

it('passes from a dead process whose pid is somebody else’s by now', () => {
  writeFileSync(file, `${process.pid} 1`);
  expect(tryLock(file)).toHaveProperty('release');
  expect(readFileSync(file, 'utf8')).not.toBe(`${process.pid} 1`);
});

it('is free again after work that failed', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(withLock(file, () => Promise.resolve('done'))).resolves.toBe('done');
});
