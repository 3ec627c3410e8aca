import { unsupported } from './errors.js';
import type { RawQuery } from './json-form.js';

const SPACE = /[ \t\r\n]*/y;
const NAME = /[a-zA-Z]+/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /(?:true|false|null)\b/y;
/** A quote inside a string is escaped by a backslash; any other backslash stands for itself. */
const STRING = /"((?:\\"|[^"])*)"|'((?:\\'|[^'])*)'/y;

const WORDS: Record<string, unknown> = { true: true, false: false, null: null };
/** Methods whose arguments are all values. */
const WITHOUT_ATTRIBUTE = new Set(['limit', 'offset', 'cursorAfter', 'cursorBefore', 'select']);

/** Whether `text` looks like the text form: a name and an opening parenthesis. */
export function isTextForm(text: string): boolean {
  return /^\s*[a-zA-Z]+\s*\(/.test(text);
}

/**
 * Reads the text form that SDKs before response format 1.5 write: `equal("status", ["completed"])`.
 * Values stand one by one or in lists; `and` and `or` don't exist in it.
 * @throws ApiError general_query_invalid when it can't be read
 */
export function parseTextForm(text: string): RawQuery {
  const reader = new Reader(text);
  const method = reader.expect(NAME, 'a method');
  const parts = reader.list('(', ')', true);
  reader.end();
  if (WITHOUT_ATTRIBUTE.has(method)) return { method, attribute: '', values: parts.flat() };
  const [attribute = '', ...values] = parts;
  if (typeof attribute !== 'string') {
    throw unsupported(`Invalid query: the first argument of ${method} must be an attribute in quotes`);
  }
  return { method, attribute, values: values.flat() };
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  expect(pattern: RegExp, what: string): string {
    const match = this.#match(pattern);
    if (!match) this.#fail(what);
    return match[0];
  }

  /** What stands between `open` and `close`, by commas; `nested` allows lists in square brackets as elements. */
  list(open: string, close: string, nested: boolean): unknown[] {
    if (!this.#take(open)) this.#fail(open);
    const values: unknown[] = [];
    if (this.#take(close)) return values;
    do {
      values.push(nested && this.#next() === '[' ? this.list('[', ']', false) : this.#value());
    } while (this.#take(','));
    if (!this.#take(close)) this.#fail(close);
    return values;
  }

  end(): void {
    if (this.#next() !== undefined) this.#fail('the end');
  }

  #value(): unknown {
    const string = this.#match(STRING);
    if (string) {
      return string[1] === undefined ? string[2]!.replaceAll("\\'", "'") : string[1].replaceAll('\\"', '"');
    }
    const number = this.#match(NUMBER);
    if (number) return Number(number[0]);
    const word = this.#match(WORD);
    if (word) return WORDS[word[0]];
    return this.#fail('a value');
  }

  #take(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at += 1;
    return true;
  }

  #next(): string | undefined {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
    return this.#text[this.#at];
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    this.#next();
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #fail(what: string): never {
    throw unsupported(`Invalid query: Syntax error, expected ${what} at character ${this.#at + 1}`);
  }
}
