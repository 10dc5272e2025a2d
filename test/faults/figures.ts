import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../../../..');
const page = join(root, 'docs/faults.md');
const BEGIN = '<!-- figures: written by npm run test:full -->';
const END = '<!-- end of figures -->';

/** What a run has left in test/dist/figures, a file each: a flat object of numbers and texts. */
function rows(): string[] {
  return globSync(join(root, 'test/dist/figures/*.json'))
    .sort()
    .map((file) => {
      const figures = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
      const said = Object.entries(figures).map(([name, value]) => `${name} ${text(value)}`);
      return `| ${basename(file, '.json')} | ${said.join(', ')} |`;
    });
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function main(): void {
  const found = rows();
  if (found.length === 0) throw new Error('test/dist/figures is empty: npm run test:full writes it');
  const before = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const [head, rest] = before.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (head === undefined || tail === undefined) throw new Error(`docs/faults.md lacks ${BEGIN} or ${END}`);
  const date = new Date().toISOString().slice(0, 10);
  const table = ['', `Of ${date}:`, '', '| run | figures |', '|---|---|', ...found, '', ''].join('\n');
  writeFileSync(page, `${head}${BEGIN}${table}${END}${tail}`);
  process.stdout.write(`docs/faults.md: ${found.length} runs\n`);
}

main();
