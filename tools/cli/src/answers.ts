/** What the API answers (docs/api.md), as far as it is shown. */
export interface ShownJob {
  readonly id: string;
  readonly tenant: string;
  readonly resource: string | null;
  readonly status: string;
  readonly selection: unknown;
  readonly reason: string | null;
  readonly requested_by: string | null;
  readonly requested_at: string | null;
  readonly completed_at: string | null;
  readonly max_records_per_second: number | null;
  readonly progress: {
    readonly processed: number;
    readonly succeeded: number;
    readonly failed_count: number;
    readonly total: number | null;
    readonly total_is_estimate: boolean;
    readonly percent: number | null;
    readonly objects: {
      readonly purged: number;
      readonly retained: number;
      readonly failed: number;
      readonly pending: number;
    };
  };
  readonly rate: number | null;
  readonly eta: string | null;
  readonly last_error: { readonly code: string; readonly message: string; readonly at: string } | null;
  readonly last_request: LastRequest | null;
  readonly diagnosis: Verdict | null;
  readonly confirmation: Counted | null;
  readonly dry_run: (Counted & { readonly sample?: readonly unknown[] }) | null;
}

/** What was last asked of a job. */
export interface LastRequest {
  readonly id: string;
  readonly type: string;
  readonly outcome: 'pending' | 'applied' | 'refused';
  readonly reason: string | null;
  readonly at: string;
}

interface Counted {
  readonly total: number;
  readonly total_is_estimate: boolean;
}

export interface Verdict {
  readonly code: string | null;
  readonly severity: 'info' | 'warning' | 'blocking' | null;
  readonly since: string | null;
  readonly summary: string | null;
}

interface Evidence {
  readonly source: string;
  readonly check: string;
  readonly observed: string;
  readonly expected: string;
  readonly at: string;
}

export interface Diagnosis extends Verdict {
  readonly evidence: readonly Evidence[];
  readonly next_actions: readonly string[];
  readonly contributing: readonly Pick<Verdict, 'code' | 'summary'>[];
  readonly not_checked: readonly NotChecked[];
}

interface NotChecked {
  readonly what: string;
  readonly why: string;
}

export interface Health {
  readonly status: 'ok' | 'unknown' | 'degraded' | 'down';
  readonly reasons: readonly string[];
}

export interface WorkerConfig {
  readonly listens_to_maintenance: boolean | null;
  readonly queues: readonly {
    readonly name: string;
    readonly service: string;
    readonly consumer_count: number | null;
    readonly missing: readonly string[];
    readonly unexpected: readonly string[];
  }[];
  readonly not_checked: readonly NotChecked[];
}

export interface ResourceCheck {
  readonly resource: string;
  readonly ok: boolean | null;
  readonly checks: readonly { readonly check: string; readonly ok: boolean | null; readonly detail: string }[];
  readonly not_checked: readonly NotChecked[];
}

export interface Parked {
  readonly queues: readonly {
    readonly queue: string;
    readonly count: number;
    readonly messages: readonly {
      readonly message_id: string | null;
      readonly type: string | null;
      readonly job: string | null;
      readonly reason: string;
      readonly parked_at: string | null;
    }[];
  }[];
}

const over = new Set(['completed', 'completed_with_residue', 'failed', 'cancelled']);
export const isOver = ({ status }: Pick<ShownJob, 'status'>): boolean => over.has(status);

/** Somebody has to confirm it, and nobody has: a confirmation on its way shows as what was last asked of it. */
export const awaitsConfirmation = ({ status, last_request: last }: ShownJob): boolean =>
  status === 'awaiting_confirmation' && last?.outcome !== 'pending';
