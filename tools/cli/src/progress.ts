import { Presets, SingleBar } from 'cli-progress';

/** A bar on a terminal; elsewhere a line every two seconds. */
export interface Progress {
  /** @param total where it has changed, or was not known */
  update(done: number, text: string, total?: number): void;
  /** Leaves the last state standing. */
  stop(): void;
}

const lineEvery = 2_000;

export function showProgress(title: string, total: number): Progress {
  return process.stdout.isTTY ? bar(title, total) : lines(title, total);
}

/** What is cut off at the end of a narrow terminal's line must not be rate and time left. */
function barSize(columns: number): number {
  return Math.max(4, Math.min(30, columns - 92));
}

function bar(title: string, firstTotal: number): Progress {
  const format = `${title} {bar} {percentage}% {text}`;
  const shown = new SingleBar(
    { format, barsize: barSize(process.stdout.columns), hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  let total = firstTotal;
  shown.start(total, 0, { text: '' });
  // Interrupted, it would leave the terminal without a cursor.
  const restore = () => shown.stop();
  process.once('exit', restore);
  return {
    update: (done, text, newTotal = total) => {
      if (newTotal !== total) shown.setTotal((total = newTotal));
      shown.update(Math.min(done, total), { text });
    },
    stop: () => {
      process.off('exit', restore);
      shown.stop();
    },
  };
}

function lines(title: string, firstTotal: number): Progress {
  let total = firstTotal;
  let latest = '';
  let printed = '';
  const print = () => {
    if (latest !== printed) console.log(latest);
    printed = latest;
  };
  const timer = setInterval(print, lineEvery);
  return {
    update: (done, text, newTotal = total) => {
      total = newTotal;
      const percent = total === 0 ? 100 : Math.floor((Math.min(done, total) / total) * 100);
      latest = `${title} ${percent}% ${text}`;
    },
    stop: () => {
      clearInterval(timer);
      print();
    },
  };
}
