import type { Command } from 'commander';
import type { Parked } from '../answers.js';
import { wholeNumber } from '../arguments.js';
import { action } from '../context.js';
import { exitCode } from '../exit-code.js';
import { count, table } from '../text.js';

export function addParked(program: Command): void {
  const parked = program.command('parked').description('messages that were given up on');
  parked
    .command('list')
    .description('what is parked of each work queue, and why')
    .option('--limit <n>', 'how many messages of each queue', wholeNumber(1, 100), 20)
    .action(
      action(async ({ api, show }, { limit }: { limit: number }) => {
        const answer = await api.ask<Parked>(`/parked?limit=${limit}`);
        show(answer, parkedText(answer));
        return exitCode.done;
      }),
    );
  parked
    .command('replay <queue>')
    .description('put the first of them back; mend the cause before')
    .requiredOption('--count <n>', 'how many', wholeNumber(1, 1_000))
    .action(
      action(async ({ api, show }, queue: string, body: { count: number }) => {
        const path = `/parked/${encodeURIComponent(queue)}/replay`;
        const answer = await api.ask<{ replayed: number; remaining: number }>(path, { method: 'POST', body });
        show(answer, `${count(answer.replayed, 'message')} put back, ${answer.remaining} left`);
        return exitCode.done;
      }),
    );
}

function parkedText({ queues }: Parked): string {
  const rows = queues.flatMap(({ queue, messages }) =>
    messages.map(({ message_id: id, type, job, reason, parked_at: at }) => [
      queue,
      at ?? '',
      type ?? '',
      job ?? '',
      id ?? '',
      reason,
    ]),
  );
  const counts = queues.map(({ queue, count: parked }) => `${queue}: ${count(parked, 'message')} parked`);
  const header = ['QUEUE', 'PARKED', 'TYPE', 'JOB', 'MESSAGE', 'REASON'];
  return [...counts, ...(rows.length > 0 ? ['', table([header, ...rows])] : [])].join('\n');
}
