import { Runner, type RunnerEvents } from './runner.js';
import type { NetworkPolicy, Sandbox, Target } from './types.js';

/** Pauses after a runner failed to start, ms; the last one is kept for all further failures. */
const START_PAUSES_MS = [100, 500, 2_000, 10_000];
/** A busy runner is asked to make room for a function that has none after it has had this long. */
const FAIR_TURN_MS = 1_000;

export interface RunnerPoolOptions {
  sandbox: Sandbox;
  network: NetworkPolicy;
  maxRunners: number;
  maxThreads: number;
  /** An idle runner is ended after this many ms. */
  idleMs: number;
}

/** Why a deployment has no runner right now. */
interface Failure {
  count: number;
  /** `performance.now()` before which no other one is started. */
  notBefore: number;
  reason: string;
}

/** All runners: at most one that takes work for each deployment, and at most `maxRunners` processes together. */
export class RunnerPool {
  readonly #options: RunnerPoolOptions;
  readonly #events: RunnerEvents;
  /** The runner that takes work, by deployment. */
  readonly #current = new Map<string, Runner>();
  readonly #all = new Set<Runner>();
  readonly #failures = new Map<string, Failure>();
  #closed = false;

  constructor(options: RunnerPoolOptions, events: RunnerEvents) {
    this.#options = options;
    this.#events = {
      ...events,
      gone: (runner, reason, failedToStart) => {
        this.#forget(runner);
        if (failedToStart) this.#countFailure(runner.target.deploymentId, reason);
        events.gone(runner, reason, failedToStart);
      },
      changed: (runner) => {
        if (runner.ready) this.#failures.delete(runner.target.deploymentId);
        events.changed(runner);
      },
    };
  }

  get size(): number {
    return this.#all.size;
  }

  all(): Iterable<Runner> {
    return this.#all;
  }

  /** How often in a row a deployment's runner has failed to start, and why the last time. */
  failure(deploymentId: string): { count: number; reason: string } | undefined {
    return this.#failures.get(deploymentId);
  }

  /**
   * The deployment's runner; starts one if there is none and there is room.
   * Null: none can be had right now (no room, or it has just failed to start).
   */
  get(target: Target): Runner | null {
    const current = this.#current.get(target.deploymentId);
    if (current?.usable) return current;
    if (this.#closed) return null;
    const failure = this.#failures.get(target.deploymentId);
    if (failure && performance.now() < failure.notBefore) return null;
    if (this.#all.size >= this.#options.maxRunners) {
      this.#makeRoom();
      return null;
    }
    return this.#start(target);
  }

  /** The deployment is no longer the one to run: its runner ends once it is empty. */
  retire(deploymentId: string): void {
    this.#current.get(deploymentId)?.retire();
    this.#current.delete(deploymentId);
  }

  /** Ends runners that have had nothing to do for the idle time. `now` is `performance.now()`. */
  reapIdle(now: number): void {
    for (const runner of this.#all) {
      if (runner.idle && now - runner.idleSince > this.#options.idleMs) runner.retire();
    }
  }

  /** Starts no more runners and ends all there are at once. */
  close(): void {
    this.#closed = true;
    for (const runner of this.#all) runner.kill();
  }

  #start(target: Target): Runner | null {
    const { sandbox, network, maxThreads } = this.#options;
    try {
      const runner = new Runner({ sandbox, target, network, maxThreads }, this.#events);
      this.#all.add(runner);
      this.#current.set(target.deploymentId, runner);
      return runner;
    } catch (error) {
      this.#countFailure(target.deploymentId, error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /**
   * All places are taken and another function wants one: the runner that has been idle for longest goes, or, if all
   * are busy, the one that has had its place for longest takes no more work.
   */
  #makeRoom(): void {
    const now = performance.now();
    let idlest: Runner | null = null;
    let oldest: Runner | null = null;
    for (const runner of this.#all) {
      // One is leaving already.
      if (!runner.usable) return;
      if (runner.idle && (idlest === null || runner.idleSince < idlest.idleSince)) idlest = runner;
      if (now - runner.startedAt > FAIR_TURN_MS && (oldest === null || runner.startedAt < oldest.startedAt))
        oldest = runner;
    }
    (idlest ?? oldest)?.retire();
  }

  #forget(runner: Runner): void {
    this.#all.delete(runner);
    if (this.#current.get(runner.target.deploymentId) === runner)
      this.#current.delete(runner.target.deploymentId);
  }

  #countFailure(deploymentId: string, reason: string): void {
    const count = (this.#failures.get(deploymentId)?.count ?? 0) + 1;
    const pause = START_PAUSES_MS[Math.min(count, START_PAUSES_MS.length) - 1]!;
    this.#failures.set(deploymentId, { count, reason, notBefore: performance.now() + pause });
  }
}
