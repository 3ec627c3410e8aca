import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config.js';
import { toDate } from './dates.js';

/** Secrets that could come along in a logged object. Headers are never logged on purpose. */
const SECRETS = [
  'apiKey',
  'key',
  'secret',
  'config.apiKey',
  'headers.authorization',
  'headers.cookie',
  'headers["x-appwrite-key"]',
  'headers["x-appwrite-jwt"]',
];

/** Lines gather until there are so many bytes of them, or for so long, ms. */
const CHUNK_BYTES = 64 * 1024;
const FLUSH_MS = 100;
/** Bytes that a UTF-16 unit takes in UTF-8, at most. */
const MAX_UNIT_BYTES = 3;

/** Takes lines that are ready to be written, with their end. */
export type WriteLine = (line: string) => void;

interface Sink {
  write: WriteLine;
  drain(): Promise<void>;
}

const sinks = new WeakMap<Logger, Sink>();

/** A way past the logger for who makes its JSON lines itself, if the log has such lines. */
export function lineWriterOf(log: Logger): WriteLine | undefined {
  return sinks.get(log)?.write;
}

/** Resolves when all lines have been taken by whoever reads them, or after `patienceMs`. For the end of the process. */
export async function drainLog(log: Logger, patienceMs: number): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, patienceMs));
  await Promise.race([sinks.get(log)?.drain(), patience]);
}

/**
 * The server's log, on stdout: readable in a terminal, else one JSON object a line. Lines are written in the
 * background; what has not been begun when the process exits is written then. What has, and is not taken, is lost unless
 * `drainLog` waits for it.
 */
export function createLogger({ logLevel }: { logLevel: LogLevel }): Logger {
  const options = {
    level: logLevel,
    base: undefined,
    timestamp: () => `,"time":"${toDate(Date.now())}"`,
    redact: SECRETS,
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  };
  if (process.stdout.isTTY) {
    return pino(options, pretty({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true }));
  }
  const destination = bufferedStdout();
  const log = pino(options, destination);
  sinks.set(log, destination);
  return log;
}

/** Lines leave together, so that a busy server does not pay for each with a system call and a reader that wakes up. */
function bufferedStdout() {
  const destination = pino.destination({ dest: 1, sync: false, contentMode: 'buffer', minLength: 1 });
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let used = 0;
  const flush = (): void => {
    if (used === 0) return;
    destination.write(chunk.subarray(0, used) as never);
    chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    used = 0;
  };
  const flushSync = (): void => {
    flush();
    destination.flushSync();
  };
  setInterval(flush, FLUSH_MS).unref();
  process.on('exit', flushSync);
  return {
    write: (line: string): void => {
      const size = line.length * MAX_UNIT_BYTES;
      if (used + size > CHUNK_BYTES) flush();
      if (size > CHUNK_BYTES) destination.write(Buffer.from(line) as never);
      else used += chunk.write(line, used);
    },
    drain: (): Promise<void> => {
      return new Promise<void>((resolve) => {
        flush();
        destination.flush(() => resolve());
      }).catch(() => {}); // The reader is gone: nothing is left to wait for.
    },
    flushSync,
  };
}
