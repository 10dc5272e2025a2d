const LINE_EVERY_MS = 3000;

/** Says how far the fold is: a line at the beginning, then every few seconds. */
export function tellProgress(total: number, say: (line: string) => void): (done: number) => void {
  let saidAt = performance.now();
  say(`folding about ${total} events`);
  return (done) => {
    if (performance.now() - saidAt < LINE_EVERY_MS) return;
    saidAt = performance.now();
    const percent = total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
    say(`folded ${done} of about ${total} events, ${percent} %`);
  };
}
