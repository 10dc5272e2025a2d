export interface Tuning {
  /** Records read, and deleted, at once. */
  page: number;
  /** Calls of 1,000 keys under way. */
  purges: number;
}

/** By bench/floor-tuning.md, for so many files a record. */
const tuned: Record<number, Tuning> = {
  0: { page: 5000, purges: 1 },
  1: { page: 5000, purges: 16 },
  3: { page: 2000, purges: 8 },
};

export function tunedFor(files: number): Tuning {
  const tuning = tuned[files];
  if (!tuning) throw new Error(`the floor has not been tuned for ${files} files a record`);
  return tuning;
}
