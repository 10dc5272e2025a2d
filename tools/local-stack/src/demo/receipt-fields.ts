/** The fields of a scanned receipt as its record holds them, and which of them could only be kept as text. */
export interface ReadFields {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly keptAsText: readonly ('date' | 'total')[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

export function readFields(scanned: Readonly<Record<string, unknown>>): ReadFields {
  const { date, total } = scanned;
  const readDate = typeof date === 'string' ? parseDate(date) : null;
  const readTotal = typeof total === 'string' ? parseTotal(total) : null;
  const keptAsText = [
    ...(typeof date === 'string' && readDate === null ? (['date'] as const) : []),
    ...(typeof total === 'string' && readTotal === null ? (['total'] as const) : []),
  ];
  const fields = { ...scanned, date: readDate ?? date ?? null, total: readTotal ?? total ?? null };
  return { fields, keptAsText };
}

/** `25/12/2018`, `5-3-18`, `29 MAR 2018`: the day first; `2018-03-23`, `20180304`: the year first. Midnight UTC. */
export function parseDate(text: string): Date | null {
  const dayFirst = /^(\d{1,2})[/\-. ](\d{1,2}|[a-z]{3})[a-z]*[/\-. ]\s*(\d{4}|\d{2})$/i.exec(text.trim());
  if (dayFirst) return utc(dayFirst[3], dayFirst[2], dayFirst[1]);
  const yearFirst = /^(\d{4})[/\-. ]?(\d{2})[/\-. ]?(\d{2})$/.exec(text.trim());
  return yearFirst ? utc(yearFirst[1], yearFirst[2], yearFirst[3]) : null;
}

function utc(year = '', month = '', day = ''): Date | null {
  const fullYear = year.length === 2 ? 2000 + Number(year) : Number(year);
  const named = months.indexOf(month.toLowerCase());
  const monthIndex = named >= 0 ? named : Number(month) - 1;
  const date = new Date(Date.UTC(fullYear, monthIndex, Number(day)));
  // Date rolls 31 April over into May, and a month that is no month into NaN.
  return date.getUTCMonth() === monthIndex && date.getUTCDate() === Number(day) ? date : null;
}

/** `9.00`, `$8.20`, `RM 1,234.50`. */
export function parseTotal(text: string): number | null {
  const number = /^(?:RM|\$)?\s*(-?\d+(?:,\d{3})*(?:\.\d+)?)$/i.exec(text.trim())?.[1];
  return number === undefined ? null : Number(number.replaceAll(',', ''));
}
