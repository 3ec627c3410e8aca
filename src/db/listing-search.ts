/**
 * The words of a search text for the index of words: each must be found as the beginning of a word, in one of the
 * columns. Between quotes nothing of the text has a meaning to FTS5; a "word" such as `/users/42` is found as the
 * sequence of its parts.
 * @returns `undefined` when the text has no letter and no digit, so that nothing can match
 */
export function matchExpression(text: string, columns: readonly string[]): string | undefined {
  const words = searchWords(text);
  if (words.length === 0 || columns.length === 0) return undefined;
  const quoted = words.map((word) => `"${word.replaceAll('"', '""')}"*`);
  return `{${columns.join(' ')}} : (${quoted.join(' AND ')})`;
}

/** The parts of a search text between spaces that have a letter or a digit. */
export function searchWords(text: string): string[] {
  return text.split(/[\s\0]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
}
