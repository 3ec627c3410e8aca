/** What is wrong with a table, and where. */
export class CsvError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** The one of the usual delimiters that the first line has most of; a comma if it has none. */
export function guessDelimiter(text: string): string {
  const [firstLine = ''] = text.split(/\r?\n/, 1);
  const count = (delimiter: string) => firstLine.split(delimiter).length;
  return [',', ';', '\t', '|'].reduce((best, one) => (count(one) > count(best) ? one : best));
}

/**
 * The rows of a table as RFC 4180 has them: fields in double quotes may hold delimiters, line ends and, doubled,
 * quotes. Empty lines are passed over. Throws a CsvError at a quote that is never closed or closed too early.
 */
export function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let position = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;

  while (position < text.length) {
    let field: string;
    if (text[position] === '"') {
      const end = closingQuote(text, position, line);
      field = text.slice(position + 1, end).replaceAll('""', '"');
      line += field.split('\n').length - 1;
      position = end + 1;
    } else {
      const start = position;
      while (position < text.length && !isEndOfField(text, position, delimiter)) position++;
      field = text.slice(start, position);
    }
    row.push(field);

    if (position < text.length && !isEndOfField(text, position, delimiter)) {
      throw new CsvError('A delimiter or the end of the line must follow a closing quote.', line);
    }
    if (text[position] === delimiter) {
      position++;
      // A delimiter at the very end has an empty field behind it.
      if (position < text.length) continue;
      row.push('');
    }
    position += text.startsWith('\r\n', position) ? 2 : 1;
    line++;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}

function closingQuote(text: string, start: number, line: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  if (end === -1) throw new CsvError('A quote is opened and never closed.', line);
  return end;
}

function isEndOfField(text: string, position: number, delimiter: string): boolean {
  return text[position] === delimiter || text[position] === '\n' || text.startsWith('\r\n', position);
}
