import { describe, expect, test } from 'vitest';
import { CsvError, guessDelimiter, parseCsv } from '../../../functions/csv-to-json/src/csv.js';
import csvToJson from '../../../functions/csv-to-json/src/main.js';

describe('parseCsv', () => {
  test.each([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      '\uFEFFa,b\r\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['"a,b","c ""d"""\n', [['a,b', 'c "d"']]],
    [
      '"two\nlines",x\n\n\ny,z',
      [
        ['two\nlines', 'x'],
        ['y', 'z'],
      ],
    ],
    [
      'a,\n,b',
      [
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['a,b,', [['a', 'b', '']]],
    ['""', []],
    ['', []],
  ])('%j', (text, rows) => {
    expect(parseCsv(text, ',')).toEqual(rows);
  });

  test.each([
    ['a\n"b', 2],
    ['a\n"b\nc"d', 3],
  ])('%j is refused at line %i', (text, line) => {
    expect(() => parseCsv(text, ',')).toThrow(CsvError);
    expect(() => parseCsv(text, ',')).toThrow(expect.objectContaining({ line }));
  });
});

test('guessDelimiter', () => {
  expect(guessDelimiter('a;b;c,d\n')).toBe(';');
  expect(guessDelimiter('a\tb')).toBe('\t');
  expect(guessDelimiter('a')).toBe(',');
});

describe('csv-to-json', () => {
  const call = (bodyText: string, queryString = '', method = 'POST') =>
    csvToJson({
      req: { method, queryString, bodyText },
      res: { json: (value, status = 200) => ({ value, status }) },
      log: () => {},
    });

  test('objects by the names of the first line', async () => {
    expect(await call('id;name\n007;Ada\n2;Bob', 'numbers=true')).toEqual({
      status: 200,
      value: [
        { id: '007', name: 'Ada' },
        { id: 2, name: 'Bob' },
      ],
    });
  });

  test('arrays without names, and a delimiter of one’s own', async () => {
    expect(await call('a|b|c;d', 'header=false&delimiter=%3B')).toEqual({
      status: 200,
      value: [['a|b|c', 'd']],
    });
  });

  test('says what is wrong', async () => {
    expect(await call('', '', 'GET')).toMatchObject({ status: 405 });
    expect(await call('a', 'delimiter=xx')).toMatchObject({ status: 400 });
    expect(await call('a\n"b')).toMatchObject({ status: 400, value: { line: 2 } });
  });
});
