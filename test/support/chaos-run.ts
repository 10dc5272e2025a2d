import { npmRun } from './command.js';

export interface ChaosRun {
  /** What the oracle found, in words. */
  readonly violations: readonly string[];
  /** The run's own last line. */
  readonly last: unknown;
  readonly seconds: number;
}

/** `npm run chaos`, whatever its exit code: whoever asks wants to know what was violated. */
export async function chaosRun(minutes: number, seed: number): Promise<ChaosRun> {
  const began = performance.now();
  const args = ['--minutes', String(minutes), '--seed', String(seed)];
  const output = await npmRun('chaos', args).catch((error: unknown) => {
    const { stdout } = error as { stdout?: string };
    if (!stdout?.includes('VIOLATION')) throw error;
    return stdout;
  });
  const lines = output.trim().split('\n');
  return {
    violations: lines.filter((line) => line.includes('VIOLATION')),
    last: JSON.parse(lines.at(-1) ?? '') as unknown,
    seconds: Math.round((performance.now() - began) / 1000),
  };
}
