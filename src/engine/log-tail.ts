/** Most characters (UTF-16 units) of an execution's logs, or errors, that are kept. Contract: executions. */
export const MAX_LOG_CHARACTERS = 1_000_000;

/** Keeps the end of a text that arrives in pieces, in bounded memory. */
export class LogTail {
  readonly #notice: string;
  #pieces: string[] = [];
  #length = 0;
  #cut = false;

  /** `name` is what the notice calls it: `Logs` or `Errors`. */
  constructor(name: 'Logs' | 'Errors') {
    this.#notice = `[WARNING] ${name} truncated. The output exceeded ${MAX_LOG_CHARACTERS} characters.\n`;
  }

  push(text: string): void {
    this.#pieces.push(text);
    this.#length += text.length;
    // Cutting at twice the limit makes it rare, so a flood costs no more than its reading.
    if (this.#length > 2 * MAX_LOG_CHARACTERS || this.#pieces.length > 10_000) this.#trim();
  }

  /** The text, at most `MAX_LOG_CHARACTERS` long with the notice in front if something was cut. */
  toString(): string {
    if (this.#length === 0) return '';
    if (!this.#cut && this.#length <= MAX_LOG_CHARACTERS) return this.#pieces.join('');
    const room = MAX_LOG_CHARACTERS - this.#notice.length;
    return this.#notice + withoutHalfCharacter(this.#pieces.join('').slice(-room));
  }

  #trim(): void {
    const text = this.#pieces.join('');
    this.#cut ||= text.length > MAX_LOG_CHARACTERS;
    const kept = text.slice(-MAX_LOG_CHARACTERS);
    this.#pieces = [kept];
    this.#length = kept.length;
  }
}

/** A cut may have gone through a surrogate pair. */
function withoutHalfCharacter(text: string): string {
  const first = text.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff ? text.slice(1) : text;
}
