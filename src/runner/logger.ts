import { cutMessage, formatMessage } from './format.js';
import type { Cleaner } from './stack.js';
import type { FrameWriter } from './writer.js';

const NATIVE_NOTICE = 'Native logs detected. Use context.log() or context.error() for better experience.\n';
/** Longest piece of output that belongs to no execution, in characters. */
const MAX_OUTPUT_CHARACTERS = 4_000;

/**
 * The logs of one execution. Every message is written to the channel at once, so that it survives whatever happens
 * next. What comes after the execution has ended is sent as output that belongs to none.
 */
export class ExecutionLogger {
  readonly #writer: FrameWriter;
  readonly #clean: Cleaner;
  readonly #id: number;
  readonly #enabled: boolean;
  #ended = false;
  #nativeNoticed = false;
  /** What was last written to the logs did not end its line. */
  #lineOpen = false;

  /** `enabled` false: nothing is kept. */
  constructor(writer: FrameWriter, clean: Cleaner, id: number, enabled: boolean) {
    this.#writer = writer;
    this.#clean = clean;
    this.#id = id;
    this.#enabled = enabled;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** `context.log`: one line of the values, to the logs. */
  log(values: readonly unknown[]): void {
    if (this.#enabled) this.#line('logs', formatMessage(values, this.#clean));
  }

  /** `context.error`: one line of the values, to the errors. */
  error(values: readonly unknown[]): void {
    if (this.#enabled) this.#line('errors', formatMessage(values, this.#clean));
  }

  /** A fault of the execution, to the errors. */
  fault(text: string): void {
    if (this.#enabled) this.#line('errors', cutMessage(text));
  }

  /** What was written to standard output or standard error: as it is, to the logs. */
  native(text: string): void {
    if (!this.#enabled || text === '') return;
    if (this.#ended) {
      writeOutput(this.#writer, text);
      return;
    }
    const endsLine = text.endsWith('\n');
    const message = endsLine ? text.slice(0, -1) : text;
    const cut = cutMessage(message);
    let notice = '';
    if (!this.#nativeNoticed) {
      this.#nativeNoticed = true;
      notice = this.#lineOpen ? `\n${NATIVE_NOTICE}` : NATIVE_NOTICE;
    }
    const ended = endsLine || cut !== message;
    this.#send('logs', `${notice}${cut}${ended ? '\n' : ''}`);
    this.#lineOpen = !ended;
  }

  /** From here on, nothing belongs to this execution any more. */
  end(): void {
    if (this.#lineOpen) this.#send('logs', '\n');
    this.#lineOpen = false;
    this.#ended = true;
  }

  #line(stream: 'logs' | 'errors', message: string): void {
    if (this.#ended) {
      writeOutput(this.#writer, `${message}\n`);
      return;
    }
    let start = '';
    if (this.#lineOpen && stream === 'logs') {
      start = '\n';
      this.#lineOpen = false;
    }
    this.#send(stream, `${start}${message}\n`);
  }

  #send(stream: 'logs' | 'errors', text: string): void {
    this.#writer.send({ type: 'log', id: this.#id, stream }, Buffer.from(text, 'utf8'));
  }
}

/** Sends text that belongs to no execution. */
export function writeOutput(writer: FrameWriter, text: string): void {
  writer.send({ type: 'output' }, Buffer.from(text.slice(0, MAX_OUTPUT_CHARACTERS), 'utf8'));
}
