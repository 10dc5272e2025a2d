import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asText, readResults, resultsFile } from '../results.js';
import { plotsOf } from './plots.js';
import { stepCosts, stepTable } from './promises.js';
import { ratiosOf, throughputRuns } from './ratios.js';
import { ratioTable, throughputTable } from './table.js';

/** After the last bench (`postbench` of package.json): the table, the ratios into results.json, the plots. */
const results = readResults();
const ratios = ratiosOf(results.runs);
const runs = throughputRuns(results.runs);
writeFileSync(resultsFile(), asText({ ...results, ratios }));
const folder = process.env['RESULTS'] === undefined ? join('docs', 'performance') : dirname(resultsFile());
mkdirSync(folder, { recursive: true });
for (const [name, svg] of Object.entries(await plotsOf(results.runs, ratios)))
  writeFileSync(join(folder, `${name}.svg`), svg);
const tables = [throughputTable(runs), ratioTable(ratios), stepTable(stepCosts(results.runs))];
process.stdout.write(`\n${tables.join('\n\n')}\n`);
