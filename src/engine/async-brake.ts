/**
 * While executions arrive, the server's thread counts as saturated above this share of its time; above the lower one
 * while so many a tick arrive, since each of those waits for the disk in between.
 */
const SATURATED = 0.9;
const SATURATED_BY_ARRIVALS = 0.5;
const MANY_ARRIVALS = 40;
/** Async executions started a tick while the server is saturated: they never stand still. */
const FLOOR = 16;
/** A burst is over by then, ms; what lasts longer is load, and has to be shared with what arrives. */
const MAX_BRAKED_MS = 2_000;

/** Lets what arrives in a burst go first: async executions that were accepted start when the server has time. */
export class AsyncBrake {
  /** Async executions that may still be started before the next tick. */
  #allowance = Number.POSITIVE_INFINITY;
  /** Executions that have come since the last tick. */
  #arrivals = 0;
  /** When the server became saturated, or null: it is not. */
  #saturatedSince: number | null = null;
  /** It is saturated for so long that waiting leads nowhere. */
  #isSpent = false;
  #isClosed = false;

  /** Whether another one may be started now. */
  get isOpen(): boolean {
    return this.#allowance > 0;
  }

  /** One is started. */
  take(): void {
    this.#allowance -= 1;
  }

  /** An execution has arrived. A burst is noticed while it begins, not at the next tick. */
  arrived(): void {
    this.#arrivals += 1;
    if (this.#arrivals > MANY_ARRIVALS && !this.#isSpent) this.#allowance = Math.min(this.#allowance, FLOOR);
  }

  /** `utilization`: the share of its time that the server's thread was busy since the last tick; `now`: ms. */
  tick(utilization: number, now: number): void {
    const limit = this.#arrivals > MANY_ARRIVALS ? SATURATED_BY_ARRIVALS : SATURATED;
    const isSaturated = this.#arrivals > 0 && utilization > limit;
    this.#arrivals = 0;
    this.#saturatedSince = isSaturated ? (this.#saturatedSince ?? now) : null;
    this.#isSpent = this.#saturatedSince !== null && now - this.#saturatedSince > MAX_BRAKED_MS;
    const isBraked = this.#saturatedSince !== null && !this.#isSpent;
    this.#allowance = this.#isClosed ? 0 : isBraked ? FLOOR : Number.POSITIVE_INFINITY;
  }

  /** Nothing runs or waits: the next tick may be long in coming. */
  release(): void {
    this.#arrivals = 0;
    this.#saturatedSince = null;
    this.#isSpent = false;
    if (!this.#isClosed) this.#allowance = Number.POSITIVE_INFINITY;
  }

  /** Nothing async starts from now on. */
  close(): void {
    this.#isClosed = true;
    this.#allowance = 0;
  }
}
