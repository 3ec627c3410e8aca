import { types } from 'node:util';
import type { Cleaner } from './stack.js';

/** Longest message of a log in UTF-16 units. Contract: function-context, "log and error". */
export const MAX_MESSAGE_CHARACTERS = 8_000;
const CUT_NOTICE = `... Log truncated due to size limit (${MAX_MESSAGE_CHARACTERS} characters)`;

/** One line of `log()` or `error()`, without its newline: the values joined by a space, cut if too long. */
export function formatMessage(values: readonly unknown[], clean: Cleaner): string {
  if (values.length === 1 && typeof values[0] === 'string') return cutMessage(values[0]);
  return cutMessage(values.map((value) => formatValue(value, clean)).join(' '));
}

/** The text of something that was thrown: an Error's stack, an object as compact JSON, anything else as text. */
export function formatThrown(thrown: unknown, clean: Cleaner): string {
  if (isError(thrown) || (typeof thrown === 'object' && thrown !== null)) return formatValue(thrown, clean);
  return String(thrown);
}

/** Cuts a message that is longer than a log keeps, and says so behind it. */
export function cutMessage(message: string): string {
  if (message.length <= MAX_MESSAGE_CHARACTERS) return message;
  const last = message.charCodeAt(MAX_MESSAGE_CHARACTERS - 1);
  const halfCharacter = last >= 0xd800 && last <= 0xdbff;
  return message.slice(0, MAX_MESSAGE_CHARACTERS - (halfCharacter ? 1 : 0)) + CUT_NOTICE;
}

/** Whether `value` is an Error, of whatever realm. */
export const isError = (value: unknown): value is Error =>
  value instanceof Error || types.isNativeError(value);

function formatValue(value: unknown, clean: Cleaner): string {
  if (typeof value === 'string') return value;
  try {
    if (isError(value)) return clean(String(value.stack || `${value.name}: ${value.message}`));
    return JSON.stringify(toJson(value, [])) ?? '';
  } catch (error) {
    // A getter or toJSON() that throws, or nesting too deep: that must not fail the execution.
    return `[a value that can't be shown: ${isError(error) ? error.message : 'unknown'}]`;
  }
}

/** What JSON.stringify shall see in place of `value`; `parents` are the objects it lies in. */
function toJson(value: unknown, parents: readonly object[]): unknown {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'symbol':
    case 'function':
      return undefined;
    case 'object':
      return value === null || parents.includes(value) ? null : objectToJson(value, parents);
    default:
      return value;
  }
}

function objectToJson(value: object, parents: readonly object[]): unknown {
  const within = [...parents, value];
  const list = (items: Iterable<unknown>) => Array.from(items, (item) => toJson(item, within));
  if (Array.isArray(value) || value instanceof Set) return list(value);
  if (value instanceof Map) return Array.from(value, list);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof RegExp) return String(value);
  if (isError(value)) return { name: value.name, message: value.message };
  if (ArrayBuffer.isView(value)) {
    return list(value instanceof DataView ? bytesOf(value) : (value as unknown as Iterable<unknown>));
  }
  if (types.isAnyArrayBuffer(value)) return list(new Uint8Array(value));
  if (types.isBoxedPrimitive(value)) return toJson(value.valueOf(), within);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return toJson(toJSON.call(value, ''), within);
  // fromEntries makes own properties even of names like __proto__.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toJson(member, within)]));
}

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
