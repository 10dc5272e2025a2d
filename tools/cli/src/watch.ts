import { awaitsConfirmation, type LastRequest, type ShownJob } from './answers.js';
import type { Context } from './context.js';
import { exitCode, type ExitCode } from './exit-code.js';
import { followed } from './follow.js';
import { type Progress, showProgress } from './progress.js';
import { jobText, printable, progressText, verdictText } from './text.js';

/** @param asked of it just now: it is followed from there */
export async function watch({ api, isJson }: Context, id: string, asked: LastRequest | null = null): Promise<ExitCode> {
  const shown = showJobProgress(isJson);
  const job = await followed(api, id, shown.update, asked).finally(shown.stop);
  if (!isJson) console.log(jobText(job, Date.now()));
  if (awaitsConfirmation(job)) return exitCode.awaitsConfirmation;
  return job.status === 'completed' ? exitCode.done : exitCode.notCompleted;
}

interface Shown {
  update: (job: ShownJob) => void;
  stop: () => void;
}

/** A bar, or lines, of how a job goes, with each verdict as it comes; for programs each state of it, a line of JSON each. */
function showJobProgress(isJson: boolean): Shown {
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
