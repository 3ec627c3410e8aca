import { randomBytes } from 'node:crypto';

const RANDOM_BYTES = 4;
let pool = Buffer.alloc(0);
let offset = 0;
let lastMicrosecond = 0;

/**
 * A new id: 20 lower-case hex characters, ordered by time of making: 8 for the second and 5 for the microsecond
 * (never the same one twice in a process), then 7 random ones. Contract: management, ids.
 */
export function newId(): string {
  lastMicrosecond = Math.max(lastMicrosecond + 1, Date.now() * 1000);
  const seconds = Math.floor(lastMicrosecond / 1_000_000);
  const microseconds = lastMicrosecond % 1_000_000;
  if (offset + RANDOM_BYTES > pool.length) {
    pool = randomBytes(1024 * RANDOM_BYTES);
    offset = 0;
  }
  const random = pool.readUInt32BE(offset) >>> 4;
  offset += RANDOM_BYTES;
  return hex(seconds, 8) + hex(microseconds, 5) + hex(random, 7);
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
