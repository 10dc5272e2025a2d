import type { Command } from 'commander';
import type { Diagnosis } from '../answers.js';
import { action } from '../context.js';
import { exitCode } from '../exit-code.js';
import { jobPath } from '../paths.js';
import { printableLines, verdictText } from '../text.js';

export function addDiagnose(program: Command): void {
  program
    .command('diagnose <job>')
    .description('why a job does not move, with the evidence and what to do')
    .action(
      action(async ({ api, show }, id: string) => {
        const diagnosis = await api.ask<Diagnosis>(`${jobPath(id)}/diagnosis`);
        show(diagnosis, diagnosisText(diagnosis));
        return diagnosis.severity === 'blocking' ? exitCode.unwell : exitCode.done;
      }),
    );
}

export function diagnosisText(diagnosis: Diagnosis): string {
  const { evidence, next_actions: actions, contributing, not_checked: unchecked } = diagnosis;
  return printableLines([
    verdictText(diagnosis),
    ...evidence.map(
      ({ source, check, observed, expected }) => `  ${source}: ${check}: ${observed} (expected: ${expected})`,
    ),
    ...actions.map((what) => `  to do: ${what}`),
    ...contributing.map(({ code, summary }) => `  also ${code}: ${summary}`),
    ...unchecked.map(({ what, why }) => `  not checked: ${what}: ${why}`),
  ]);
}
