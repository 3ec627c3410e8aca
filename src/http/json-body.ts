import { ApiError } from '../errors.js';

/**
 * Parses a JSON request body; an empty one is no body.
 * @throws ApiError general_argument_invalid that says where it broke.
 */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const offset = findJsonError(text);
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    const found = offset < text.length ? `unexpected ${JSON.stringify(text[offset])}` : 'it ends too early';
    throw new ApiError(
      'general_argument_invalid',
      `The request body is not valid JSON: ${found} at line ${line}, column ${column}.`,
    );
  }
}

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/**
 * Offset of the first character that makes this text no JSON; its length if it only ends too early. The messages
 * of V8 don't always name the position, so it is looked for here, without recursion.
 */
export function findJsonError(text: string): number {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takeString = (): boolean => {
    if (text[at] !== '"') return false;
    at++;
    do take(PLAIN);
    while (take(ESCAPE));
    if (text[at] !== '"') return false;
    at++;
    return true;
  };
  const takeKey = (): boolean => {
    take(SPACE);
    if (!takeString()) return false;
    take(SPACE);
    if (text[at] !== ':') return false;
    at++;
    return true;
  };
  const open: ('{' | '[')[] = [];
  for (;;) {
    take(SPACE);
    const char = text[at];
    if (char === '{' || char === '[') {
      at++;
      take(SPACE);
      const isEmpty = text[at] === (char === '{' ? '}' : ']');
      if (!isEmpty) {
        open.push(char);
        if (char === '{' && !takeKey()) return at;
        continue;
      }
      at++;
    } else if (!(takeString() || take(NUMBER) || take(WORD))) return at;
    take(SPACE);
    while (open.length > 0 && text[at] === (open.at(-1) === '{' ? '}' : ']')) {
      open.pop();
      at++;
      take(SPACE);
    }
    if (open.length === 0 || text[at] !== ',') return at;
    at++;
    if (open.at(-1) === '{' && !takeKey()) return at;
  }
}
