import type { DiagnosisCode, Evidence, Severity } from '@expunge/contracts';

/** One broken link, as a rule sees it. */
export interface Found {
  code: DiagnosisCode;
  severity: Severity;
  summary: string;
  /** When it began, as far as the evidence tells; null: no later than it was found. */
  since: string | null;
  evidence: Evidence[];
  nextActions: string[];
}

export function found(
  code: DiagnosisCode,
  severity: Severity,
  summary: string,
  rest: { since?: string | null; evidence: Evidence[]; nextActions: string[] },
): Found {
  return { code, severity, summary, since: null, ...rest };
}

export const evidence = (
  source: Evidence['source'],
  check: string,
  { observed, expected, at }: { observed: string; expected: string; at: string },
): Evidence => ({ source, check, observed, expected, at });
