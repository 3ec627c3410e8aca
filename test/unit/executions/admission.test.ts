import { expect, test } from 'vitest';
import { jobOf, newExecution } from '../../../src/executions/admission.js';
import type { ExecutionRequest } from '../../../src/executions/types.js';
import type { FunctionRecord } from '../../../src/functions/types.js';

const record = { id: 'f', timeout: 15, logging: true } as FunctionRecord;
const target = { functionId: 'f', deploymentId: 'd' } as Parameters<typeof newExecution>[1];

const request = (): ExecutionRequest => ({
  functionId: 'f',
  caller: { kind: 'guest' },
  async: true,
  path: '/a?b',
  method: 'PUT',
  headers: {
    host: 'h',
    'x-own': 'kept',
    'x-appwrite-trigger': 'forged',
    'x-appwrite-client-ip': 'forged',
    'x-appwrite-execution-id': 'forged',
  },
  body: Buffer.from('body'),
  clientIp: '203.0.113.7',
  direct: false,
});

test("a function sees its caller's headers, and the server's own win", () => {
  const given = request();
  const execution = newExecution('id', target, given);
  expect(execution.requestHeaders).toEqual([
    ['host', 'h'],
    ['x-appwrite-client-ip', '203.0.113.7'],
  ]);
  const job = jobOf(record, execution, given, false);
  expect(job).toMatchObject({ method: 'PUT', path: '/a?b', timeoutMs: 15_000 });
  expect(job.headers).toEqual({
    host: 'h',
    'x-own': 'kept',
    'x-appwrite-execution-id': 'id',
    'x-appwrite-trigger': 'http',
    'x-appwrite-user-id': '',
    'x-appwrite-user-jwt': '',
    'x-appwrite-key': '',
    'x-appwrite-country-code': '',
    'x-appwrite-continent-code': '',
    'x-appwrite-continent-eu': 'false',
    'x-appwrite-client-ip': '203.0.113.7',
  });
});

test("what is stored of a waiting execution is enough for the server's own headers", () => {
  const given = request();
  const execution = newExecution('id', target, given);
  const stored = structuredClone({ headers: given.headers, body: given.body });
  const { headers } = jobOf(record, execution, given, false);
  const later = jobOf(record, { ...execution, seq: 7 }, { ...stored, body: Buffer.from('body') }, false);
  expect(later.headers).toEqual(headers);
  expect(later.seq).toBe(7);
});
