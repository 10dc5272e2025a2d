const shortest = 500;
const longest = 5_000;

/** Milliseconds before start number `attempt` (1, 2, 3 …) after a death: 0.5 s, doubling to 5 s, as an orchestrator would. */
export function restartDelay(attempt: number): number {
  return Math.min(shortest * 2 ** (attempt - 1), longest);
}
