import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Recorded } from '../results.js';
import { contestants } from '../throughput/run.js';
import { steps } from '../promises/steps.js';
import { stepCosts } from './promises.js';
import { type Ratios, select, spreadOf, throughputRuns } from './ratios.js';
import { BUCKETS, NAMES } from './table.js';

const COLOURS = ['#999999', '#d95f02', '#1b9e77', '#7570b3'];
const order = contestants.map((contestant) => NAMES[contestant]);
const colour = { field: 'contestant', sort: order, scale: { domain: order, range: COLOURS }, title: null } as const;
const byFiles = { field: 'files', type: 'ordinal', title: 'files of each record', axis: { labelAngle: 0 } } as const;
const common = { $schema: 'https://vega.github.io/schema/vega-lite/v6.json', background: 'white' } as const;

/** As SVG, by name. The same results make the same pictures. */
export async function plotsOf(recorded: readonly Recorded[], ratios: Ratios): Promise<Record<string, string>> {
  const specs: Record<string, TopLevelSpec> = {
    throughput: throughput(recorded),
    'to-floor': toFloor(ratios),
    growth: growth(recorded),
    'event-to-projection': eventToProjection(recorded),
    promises: promises(recorded),
  };
  const drawn = Object.entries(specs).map(async ([name, spec]) => [name, await draw(spec)] as const);
  return Object.fromEntries(await Promise.all(drawn));
}

const draw = (spec: TopLevelSpec): Promise<string> =>
  new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG().then((svg) => `${svg}\n`);

function throughput(recorded: readonly Recorded[]): TopLevelSpec {
  const runs = throughputRuns(recorded);
  const values = [0, 1, 3].flatMap((files) =>
    contestants.flatMap((contestant) => {
      const rates = select(runs, { bucket: 'instant', files, contestant }).map((run) => run.records_per_second);
      const spread = spreadOf(rates);
      return spread ? [{ files, contestant: NAMES[contestant], ...spread }] : [];
    }),
  );
  const x = { x: byFiles, xOffset: { field: 'contestant', sort: order } } as const;
  return {
    ...common,
    title: 'Records a second, the bucket answering at once',
    width: 480,
    height: 260,
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: { ...x, y: { field: 'median', type: 'quantitative', title: 'records/s' }, color: colour },
      },
      { mark: 'rule', encoding: { ...x, y: { field: 'min', type: 'quantitative' }, y2: { field: 'max' } } },
    ],
  };
}

const GOALS = [
  { files: 0, goal: 0.8 },
  { files: 1, goal: 0.9 },
  { files: 3, goal: 0.9 },
];

function toFloor(ratios: Ratios): TopLevelSpec {
  const of = (contestant: string, ratio: Ratios['to_floor']) =>
    Object.entries(ratio).flatMap(([files, spread]) =>
      spread ? [{ files: Number(files.replace('files_', '')), contestant, ...spread }] : [],
    );
  const values = [
    ...of(NAMES['expunge-1'], ratios.to_floor),
    ...of(NAMES['expunge-2'], ratios.to_floor_with_2_deleters),
  ];
  const x = { x: byFiles, xOffset: { field: 'contestant', sort: order } } as const;
  return {
    ...common,
    title: 'Expunge to the floor, turn by turn; the lines are the goals',
    width: 480,
    height: 260,
    layer: [
      {
        data: { values: GOALS },
        mark: { type: 'tick', color: 'black', width: 140 },
        encoding: {
          x: byFiles,
          y: { field: 'goal', type: 'quantitative', scale: { domain: [0, 1.2] }, title: 'ratio' },
        },
      },
      {
        data: { values },
        mark: 'rule',
        encoding: { ...x, y: { field: 'min', type: 'quantitative' }, y2: { field: 'max' }, color: colour },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 60 },
        encoding: { ...x, y: { field: 'median', type: 'quantitative' }, color: colour },
      },
    ],
  };
}

function growth(recorded: readonly Recorded[]): TopLevelSpec {
  const panel = (name: string, field: string, title: string) => ({
    width: 220,
    height: 220,
    data: {
      values: recorded
        .filter((run) => run.name === name)
        .map((run) => ({ at: run[field], ms: run['cpu_ms_per_record'] })),
    },
    mark: { type: 'line', point: true, color: COLOURS[2] } as const,
    encoding: {
      x: { field: 'at', type: 'quantitative', scale: { type: 'log' }, title } as const,
      y: {
        field: 'ms',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'CPU ms of all services, a record',
      } as const,
    },
  });
  return {
    ...common,
    title: 'What a record costs',
    hconcat: [
      panel('growth-of-the-job', 'records', 'records of the job'),
      panel('growth-of-the-projection', 'old_jobs', 'old jobs beside one of 1,000 records'),
    ],
  };
}

function eventToProjection(recorded: readonly Recorded[]): TopLevelSpec {
  const values = select(throughputRuns(recorded), { contestant: 'expunge-1' }).flatMap(
    ({ bucket, files, fold_ms: ms }) =>
      ms ? [{ run: `${BUCKETS[bucket]}, ${files} files`, p50: ms.p50, p99: ms.p99 }] : [],
  );
  const y = { field: 'run', type: 'nominal', title: null } as const;
  const point = (field: string, shape: string) => ({
    data: { values },
    mark: { type: 'point', filled: true, size: 60, shape, color: COLOURS[2] } as const,
    encoding: {
      y,
      x: {
        field,
        type: 'quantitative',
        title: 'ms; circle p50, diamond p99; the line is the goal of the p99',
      } as const,
    },
  });
  return {
    ...common,
    title: 'From an event to its fold, while a job runs at full speed',
    width: 420,
    height: { step: 26 },
    layer: [
      { data: { values: [{ goal: 250 }] }, mark: 'rule', encoding: { x: { field: 'goal', type: 'quantitative' } } },
      point('p50', 'circle'),
      point('p99', 'diamond'),
    ],
  };
}

/** Of the fewest files that were measured. */
function promises(recorded: readonly Recorded[]): TopLevelSpec {
  const costs = stepCosts(recorded);
  const own = costs.filter(({ files }) => files === costs[0]?.files);
  const y = { field: 'step', type: 'nominal', sort: [...steps], title: null } as const;
  const parts = ['loop, or services', 'servers'];
  const ms = own.flatMap(({ step, loopMs, serversMs }) =>
    parts.map((part, i) => ({ step, part, ms: i === 0 ? loopMs : serversMs })),
  );
  return {
    ...common,
    title: 'From the floor to Expunge, promise by promise',
    hconcat: [
      {
        width: 240,
        height: { step: 26 },
        data: { values: own.flatMap(({ step, toFloor: ratio }) => (ratio ? [{ step, ...ratio }] : [])) },
        layer: [
          {
            mark: { type: 'bar', color: COLOURS[2] },
            encoding: { y, x: { field: 'median', type: 'quantitative', title: 'records/s, to the floor' } },
          },
          { mark: 'rule', encoding: { y, x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } } },
        ],
      },
      {
        width: 240,
        height: { step: 26 },
        data: { values: ms },
        mark: 'bar',
        encoding: {
          y,
          x: { field: 'ms', type: 'quantitative', title: 'CPU ms for 1,000 records' },
          color: { field: 'part', sort: parts, scale: { domain: parts, range: COLOURS.slice(1, 3) }, title: null },
        },
      },
    ],
  };
}
