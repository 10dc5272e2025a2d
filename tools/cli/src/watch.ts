import type { ShownJob } from './answers.js';
import { showProgress, type Progress } from './progress.js';
import { printable, progressText, verdictText } from './text.js';

interface Shown {
  update: (job: ShownJob) => void;
  stop: () => void;
}

/** A bar, or lines, of how a job goes, with each verdict as it comes; for programs each state of it, a line of JSON each. */
export function showJobProgress(isJson: boolean): Shown {
  if (isJson) return { update: (job) => console.log(JSON.stringify(job)), stop: () => undefined };
  let progress: Progress | undefined;
  let told: string | null = null;
  return {
    update: (job) => {
      const code = job.diagnosis?.code ?? null;
      if (code !== told && job.diagnosis) {
        // A bar would be written over.
        progress?.stop();
        progress = undefined;
        console.log(printable(verdictText(job.diagnosis)));
      }
      told = code;
      const { processed, total } = job.progress;
      progress ??= showProgress('deleting', 1);
      progress.update(processed, progressText(job, Date.now()), Math.max(total ?? 0, processed, 1));
    },
    stop: () => progress?.stop(),
  };
}
