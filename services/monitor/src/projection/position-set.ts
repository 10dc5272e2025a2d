import { type Positions, positions } from '@expunge/contracts';

/**
 * A set of numbers as text, the shorter of two forms: ranges, `0-899,905`, or the first number and a bitmap from there,
 * `0:qqqq` (base64url, least bit first). Equal sets have equal texts. '' is the empty set.
 */
export type PositionSet = string;

export function written(set: Positions): PositionSet {
  const first = set[0]?.[0];
  const last = set.at(-1)?.[1];
  if (first === undefined || last === undefined) return '';
  const ranges = positions.format(set);
  const bytes = Math.ceil((last - first + 1) / 8);
  const bitmapLength = String(first).length + 1 + Math.ceil((bytes * 4) / 3);
  return ranges.length <= bitmapLength ? ranges : `${first}:${bitmap(set, first, bytes)}`;
}

function bitmap(set: Positions, first: number, bytes: number): string {
  const bits = Buffer.alloc(bytes);
  for (const n of positions.each(set)) {
    const byte = (n - first) >> 3;
    bits.writeUInt8(bits.readUInt8(byte) | (1 << ((n - first) & 7)), byte);
  }
  return bits.toString('base64url');
}

export function read(text: PositionSet): Positions {
  if (text === '') return [];
  const colon = text.indexOf(':');
  if (colon >= 0) return fromBitmap(Number(text.slice(0, colon)), Buffer.from(text.slice(colon + 1), 'base64url'));
  return text.split(',').map((range) => {
    const [from = '', to = from] = range.split('-');
    return [Number(from), Number(to)];
  });
}

function fromBitmap(first: number, bits: Buffer): Positions {
  const set: Positions = [];
  for (let i = 0; i < bits.length * 8; i++) {
    if (((bits[i >> 3] ?? 0) & (1 << (i & 7))) === 0) continue;
    const last = set.at(-1);
    if (last?.[1] === first + i - 1) last[1] += 1;
    else set.push([first + i, first + i]);
  }
  return set;
}
