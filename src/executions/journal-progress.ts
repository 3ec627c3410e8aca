/** Memory that both threads see. */
export const createProgress = (): SharedArrayBuffer => new SharedArrayBuffer(16);

/** How much of the journal has been written, and how much is in the tables, in characters since the start. */
export class Progress {
  readonly #state: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#state = new BigInt64Array(memory);
  }

  committed(characters: number): void {
    Atomics.add(this.#state, 0, BigInt(characters));
  }

  applied(characters: number): void {
    Atomics.add(this.#state, 1, BigInt(characters));
  }

  get totalCommitted(): number {
    return Number(Atomics.load(this.#state, 0));
  }

  get backlog(): number {
    return Number(Atomics.load(this.#state, 0) - Atomics.load(this.#state, 1));
  }
}
