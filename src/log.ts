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

/** Lines gather until they have so many characters together, or for so long, ms. */
const CHUNK_CHARACTERS = 65_536;
const FLUSH_MS = 100;

/**
 * The server's log, on stdout: readable in a terminal, else one JSON object a line. Lines are written in the
 * background; what is still to be written when the process exits is written then.
 */
export function createLogger({ logLevel }: { logLevel: LogLevel }): Logger {
  const destination = process.stdout.isTTY
    ? pretty({ translateTime: 'SYS:HH:MM:ss.l', singleLine: true, sync: true })
    : bufferedStdout();
  return pino(
    {
      level: logLevel,
      base: undefined,
      timestamp: () => `,"time":"${toDate(Date.now())}"`,
      redact: SECRETS,
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    destination,
  );
}

/**
 * Lines leave together, so that a busy server does not pay a system call for each. They are gathered here and not by
 * the destination, which measures all that it holds anew at every line.
 */
function bufferedStdout() {
  const destination = pino.destination({ dest: 1, sync: false });
  let lines: string[] = [];
  let characters = 0;
  const flush = (): void => {
    if (lines.length === 0) return;
    destination.write(lines.join(''));
    lines = [];
    characters = 0;
  };
  const flushSync = (): void => {
    flush();
    destination.flushSync();
  };
  setInterval(flush, FLUSH_MS).unref();
  process.on('exit', flushSync);
  return {
    write: (line: string): void => {
      lines.push(line);
      characters += line.length;
      if (characters >= CHUNK_CHARACTERS) flush();
    },
    flushSync,
  };
}
