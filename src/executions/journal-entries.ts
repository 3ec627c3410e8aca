/**
 * What happens to executions, as the journal keeps it until it is in their tables: one JSON array a line, the kind of
 * the entry first. Arrays and not objects, because names would be most of the text, and every execution writes two.
 */
import { isUtf8 } from 'node:buffer';
import type { HeaderList } from '../engine/types.js';
import type { Ending, Execution, ExecutionStatus, Input, Trigger } from './types.js';

/** An execution was admitted. The input is what it needs to run, if it does not run at once. */
type AdmitEntry = [
  kind: 'admit',
  seq: number,
  id: string,
  functionId: string,
  deploymentId: string,
  trigger: Trigger,
  status: ExecutionStatus,
  createdAt: number,
  scheduledAt: number | null,
  userId: string | null,
  method: string,
  path: string,
  keptHeaders: HeaderList,
  inputHeaders: Record<string, string> | null,
  /** As text where it is UTF-8, else base64. */
  inputBody: string | null,
  isBase64: boolean,
];
/** Executions of status `from` have got status `to`. `deploymentId` null: it stays. */
type StatusEntry = [
  kind: 'status',
  seqs: number[],
  from: ExecutionStatus,
  to: ExecutionStatus,
  deploymentId: string | null,
  at: number,
];
/** An execution has ended. */
type EndEntry = [
  kind: 'end',
  seq: number,
  status: ExecutionStatus,
  responseStatusCode: number,
  responseHeaders: HeaderList,
  duration: number,
  at: number,
  logs: string,
  errors: string,
];

export type Entry = AdmitEntry | StatusEntry | EndEntry;

export function admitEntry(execution: Execution, input: Input | null): AdmitEntry {
  const isText = input === null || isUtf8(input.body);
  return [
    'admit',
    execution.seq,
    execution.id,
    execution.functionId,
    execution.deploymentId,
    execution.trigger,
    execution.status,
    execution.createdAt,
    execution.scheduledAt,
    execution.userId,
    execution.requestMethod,
    execution.requestPath,
    execution.requestHeaders,
    input?.headers ?? null,
    input?.body.toString(isText ? 'utf8' : 'base64') ?? null,
    !isText,
  ];
}

export const statusEntry = (
  seqs: number[],
  from: ExecutionStatus,
  to: ExecutionStatus,
  deploymentId: string | null,
  at: number,
): StatusEntry => ['status', seqs, from, to, deploymentId, at];

export const endEntry = (seq: number, ending: Ending): EndEntry => [
  'end',
  seq,
  ending.status,
  ending.responseStatusCode,
  ending.responseHeaders,
  ending.duration,
  ending.at,
  ending.logs,
  ending.errors,
];

/** The entries of one row of the journal, in order. */
export const decodeEntries = (lines: string): Entry[] => JSON.parse(`[${lines.replaceAll('\n', ',')}]`);

/** The record of a new execution and its input. */
export function readAdmitEntry(entry: AdmitEntry): { execution: Execution; input: Input | null } {
  const [, seq, id, functionId, deploymentId, trigger, status, createdAt, scheduledAt, userId] = entry;
  const [requestMethod, requestPath, requestHeaders, headers, body, isBase64] = entry.slice(10) as [
    string,
    string,
    HeaderList,
    Record<string, string> | null,
    string | null,
    boolean,
  ];
  const execution: Execution = {
    seq,
    id,
    functionId,
    deploymentId,
    trigger,
    status,
    requestMethod,
    requestPath,
    requestHeaders,
    responseStatusCode: 0,
    responseHeaders: [],
    duration: 0,
    createdAt,
    updatedAt: createdAt,
    scheduledAt,
    userId,
    logs: '',
    errors: '',
  };
  const input = headers && { headers, body: Buffer.from(body ?? '', isBase64 ? 'base64' : 'utf8') };
  return { execution, input };
}

export function readEndEntry(entry: EndEntry): Ending {
  const [, , status, responseStatusCode, responseHeaders, duration, at, logs, errors] = entry;
  return { status, responseStatusCode, responseHeaders, duration, at, logs, errors };
}
