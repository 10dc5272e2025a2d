import type { StackFile } from './stack-file.js';

/** What somebody who has just started the system wants to try next. */
export function summaryOf(stack: StackFile, stackFile: string): string {
  const management = new URL(stack.management);
  const { username, password } = management;
  management.username = '';
  management.password = '';
  const count = (pids: readonly number[], what: string) => `${pids.length} ${what}${pids.length === 1 ? '' : 's'}`;
  const { pids } = stack;
  const processes = [
    count(pids.api, 'api'),
    count(pids.deleter, 'deleter'),
    count(pids['storage-cleaner'], 'storage-cleaner'),
    count(pids.monitor, 'monitor'),
  ];
  return `
  Expunge is running: ${processes.join(', ')}.

  API          ${stack.api}/api
  RabbitMQ     ${management.href}  user ${decodeURIComponent(username)}, password ${decodeURIComponent(password)}
  Records      ${stack.records_mongodb}
  Bucket       ${stack.s3.bucket} at ${stack.s3.endpoint}
  Everything   ${stackFile}

  Delete all receipts of the tenant "demo":
    TOKEN=$(node -p 'require("${stackFile}").token')
    curl -i -X POST ${stack.api}/api/jobs -H "Authorization: Bearer $TOKEN" \\
      -H 'Content-Type: application/json' -d '{"resource": "receipts", "selection": {"all": true}}'

  Ctrl-C stops it and removes its data.
`;
}
