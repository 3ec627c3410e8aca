/**
 * Turns CSV into JSON: send the table as the body of a POST.
 *
 *   ?delimiter=;    what stands between fields; found from the first line if not given
 *   ?header=false   the first line holds no names: every row is an array
 *   ?numbers=true   fields that look like numbers become numbers
 */
import { CsvError, guessDelimiter, parseCsv } from './csv.js';

interface Context {
  req: { method: string; queryString: string; bodyText: string };
  res: { json(value: unknown, status?: number): unknown };
  log(...values: unknown[]): void;
}

export default async ({ req, res, log }: Context) => {
  if (req.method !== 'POST') return res.json({ error: 'Send the CSV as the body of a POST.' }, 405);
  const options = new URLSearchParams(req.queryString);
  const delimiter = options.get('delimiter') ?? guessDelimiter(req.bodyText);
  if (delimiter.length !== 1) return res.json({ error: '`delimiter` must be one character.' }, 400);
  const convert = options.get('numbers') === 'true' ? toNumber : (text: string) => text;

  let rows: string[][];
  try {
    rows = parseCsv(req.bodyText, delimiter);
  } catch (error) {
    if (error instanceof CsvError) return res.json({ error: error.message, line: error.line }, 400);
    throw error;
  }

  log(`${rows.length} lines`);
  if (options.get('header') === 'false') return res.json(rows.map((row) => row.map(convert)));
  const [names = [], ...records] = rows;
  return res.json(
    records.map((row) => Object.fromEntries(names.map((name, column) => [name, convert(row[column] ?? '')]))),
  );
};

/** Codes such as 007 and numbers too long to be exact stay text. */
function toNumber(text: string): string | number {
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}
