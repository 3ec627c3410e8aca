import pino from 'pino';
import { expect, test } from 'vitest';
import { toDate } from '../../../src/dates.js';
import { type RequestFields, requestLine } from '../../../src/http/request-log.js';

const NOW = Date.parse('2026-01-02T03:04:05.006Z');

/** The line of a logger that is made like the server's. */
function lineOfPino(level: 'info' | 'debug', { execution, ...others }: RequestFields): string {
  let line = '';
  const log = pino(
    { level: 'debug', base: undefined, timestamp: () => `,"time":"${toDate(NOW)}"` },
    {
      write: (text: string) => {
        line = text;
      },
    },
  );
  log[level]({ ...others, ...execution }, 'request');
  return line;
}

const fields: RequestFields = {
  requestId: 'ab-1',
  method: 'POST',
  path: '/v1/functions/f/executions',
  status: 201,
  duration: 1.25,
  operation: 'createExecution',
  functionId: 'f',
  execution: { functionId: 'f', executionId: 'e', executionStatus: 'completed', executionDuration: 0.001 },
};

test.each<[string, Partial<RequestFields>]>([
  ['everything', {}],
  ['no execution', { execution: null }],
  ['an execution that is gone', { execution: { functionId: 'f', executionId: 'e' } }],
  ['no operation', { operation: undefined, functionId: undefined, execution: null }],
  [
    'names that need escapes',
    { path: '/f/"\\\n\u2028\ud800é', functionId: '","level":0,"x":"', execution: null },
  ],
])('a line is the one that the logger would write: %s', (_name, changes) => {
  const given = { ...fields, ...changes };
  const line = requestLine(30, given, NOW);
  expect(line.endsWith('}\n')).toBe(true);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual(JSON.parse(lineOfPino('info', given)));
});
