/** First of the ids that runners get. Nobody needs to exist under them. */
export const FIRST_UID = 210_000;
/** How many there are: more than processes that one machine could run at a time. */
export const UID_COUNT = 20_000;

/** Hands out ids so that no two runners that live at the same time have the same, the longest unused first. */
export class UidPool {
  readonly #used = new Set<number>();
  #next = 0;

  /** An id (of a user and of a group) nobody else has. Throws when all are taken. */
  take(): number {
    for (let tries = 0; tries < UID_COUNT; tries += 1) {
      const uid = FIRST_UID + this.#next;
      this.#next = (this.#next + 1) % UID_COUNT;
      if (this.#used.has(uid)) continue;
      this.#used.add(uid);
      return uid;
    }
    throw new Error(`all ${UID_COUNT} user ids of runners are in use`);
  }

  /** The id may be handed out again: every process that had it has ended. */
  giveBack(uid: number): void {
    this.#used.delete(uid);
  }
}
