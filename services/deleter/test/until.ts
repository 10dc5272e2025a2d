/** Waits for what `look` finds, for at most 15 s. */
export async function until<T>(look: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > end) throw new Error('did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const passed = (time: Date) => until(() => Promise.resolve(new Date() > time ? true : null));
