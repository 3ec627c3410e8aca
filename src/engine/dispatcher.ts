import { ApiError } from '../errors.js';
import { AsyncBrake } from './async-brake.js';
import { FunctionQueue, type Room, type Waiting } from './function-queue.js';
import type { Runner } from './runner.js';
import { RunnerPool, type RunnerPoolOptions } from './runner-pool.js';
import { failure, type RunnerThread } from './runner-thread.js';
import type { Job, Outcome, Target } from './types.js';

/** How often clocks are looked at while anything runs or waits, ms. */
const TICK_MS = 20;
/** What runs for longer than this does not keep others waiting behind it in its thread, ms. */
const RECALL_AFTER_MS = 25;
/** Request bodies of waiting sync executions, all functions together, bytes. */
const MAX_QUEUED_SYNC_BYTES = 256 * 1024 * 1024;
/** So many failures to start a runner in a row, and what waits for it has failed too. */
const MAX_FAILED_STARTS = 3;
/** How often idle runners are looked for, ms. */
const REAP_MS = 1_000;
const STOPPED_BEFORE_START = 'The server stopped before this execution could start.';

/** What the dispatcher asks of the records. */
export interface DispatcherHost {
  /** Commits that these async executions are `processing`, run by that deployment. Resolves when it is on disk. */
  markStarted(jobs: Job[], deploymentId: string): Promise<void>;
  /** Commits that these async executions wait again. */
  markWaiting(jobs: Job[]): Promise<void>;
  /**
   * Async executions of the function that wait, oldest first, with a sequence number above `afterSeq`.
   */
  loadWaiting(functionId: string, afterSeq: number, room: Room): Promise<Waiting>;
  /** An execution has ended; called exactly once for each. */
  ended(job: Job, outcome: Outcome): void;
  /** Something an operator may want to see. */
  log(level: 'debug' | 'warn' | 'error', message: string, details: object): void;
}

export interface DispatcherOptions extends RunnerPoolOptions {
  /** Sync executions of one function that may wait. */
  queueLimit: number;
}

/** Decides which execution runs next, and on which runner. */
export class Dispatcher {
  readonly #host: DispatcherHost;
  readonly #queueLimit: number;
  readonly #pool: RunnerPool;
  readonly #queues = new Map<string, FunctionQueue>();
  /** Places promised to sync executions, by function. */
  readonly #reserved = new Map<string, number>();
  /** Functions with executions that wait in the database since before the server started. */
  #expected = new Set<string>();
  #clock: NodeJS.Timeout | null = null;
  readonly #reaper: NodeJS.Timeout;
  #stopping = false;
  /** The budget for stopping is used up. */
  #stopped = false;
  #queuedSyncBytes = 0;
  /** Executions handed to runners or being so. */
  #running = 0;
  readonly #brake = new AsyncBrake();
  #utilization = performance.eventLoopUtilization();
  #onIdle: (() => void) | null = null;

  constructor(options: DispatcherOptions, host: DispatcherHost) {
    this.#host = host;
    this.#queueLimit = options.queueLimit;
    this.#pool = new RunnerPool(options, {
      changed: (runner) => this.#runnerChanged(runner.target.functionId),
      ended: (job, outcome) => this.#ended(job, outcome),
      returned: (jobs) => void this.#returned(jobs),
      output: (runner, text) =>
        host.log('debug', 'output outside any execution', { functionId: runner.target.functionId, text }),
      gone: (runner, reason, failedToStart) => this.#runnerGone(runner, reason, failedToStart),
    });
    this.#reaper = setInterval(() => this.#pool.reapIdle(performance.now()), REAP_MS);
    this.#reaper.unref();
  }

  /** Runner processes there are. */
  get runners(): number {
    return this.#pool.size;
  }

  /**
   * Promises a place to a sync execution whose record is about to be made; `enqueueSync` or `cancelSync` takes it up.
   * @throws ApiError general_queue_full. Contract: no record is made then.
   */
  reserveSync(functionId: string): void {
    const waiting = this.#queues.get(functionId)?.sync.length ?? 0;
    const reserved = this.#reserved.get(functionId) ?? 0;
    if (waiting + reserved >= this.#queueLimit || this.#queuedSyncBytes >= MAX_QUEUED_SYNC_BYTES) {
      throw new ApiError('general_queue_full', undefined, { headers: { 'retry-after': '1' } });
    }
    this.#reserved.set(functionId, reserved + 1);
  }

  /** The execution a place was promised to does not come. */
  cancelSync(functionId: string): void {
    const reserved = (this.#reserved.get(functionId) ?? 1) - 1;
    if (reserved > 0) this.#reserved.set(functionId, reserved);
    else this.#reserved.delete(functionId);
  }

  /** Takes a sync execution, whose record says `processing` on disk. */
  enqueueSync(job: Job, target: Target): void {
    this.#brake.arrived();
    this.cancelSync(job.functionId);
    const queue = this.#queue(job.functionId, target);
    queue.pushSync(job);
    this.#queuedSyncBytes += job.body.length;
    this.#pump(queue);
  }

  /** Takes an async execution, whose record says `waiting` on disk. If memory's share is full it stays there. */
  enqueueAsync(job: Job, target: Target): void {
    this.#brake.arrived();
    const queue = this.#queue(job.functionId, target);
    // A read of the database may have met it before this call.
    if (!queue.held.has(job.seq)) queue.pushAsync(job);
    this.#pump(queue);
  }

  /** Before anything is enqueued: async executions of these functions wait in the database. */
  expect(functionIds: string[]): void {
    this.#expected = new Set(functionIds);
  }

  /** Runs what is expected of this function. */
  resume(functionId: string, target: Target): void {
    this.#pump(this.#queue(functionId, target));
  }

  /** Another deployment is to run from now on; executions in the old one end there. */
  switchTarget(functionId: string, target: Target): void {
    if (this.#queues.has(functionId)) this.#queue(functionId, target);
  }

  /**
   * Starts nothing async any more and waits until what runs has ended, at most `budgetMs`; then ends all runners.
   * What is cut off is told to the host as `returned` or `ended` as ever.
   */
  async stop(budgetMs: number): Promise<void> {
    this.#stopping = true;
    this.#brake.close();
    if (this.#busy()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, budgetMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#stopped = true;
    for (const queue of this.#queues.values()) this.#failSync(queue, 'failure', STOPPED_BEFORE_START);
    for (const runner of this.#pool.all()) runner.stop('The server stopped while this execution ran.');
    this.#pool.close();
    if (this.#running > 0 || this.#pool.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#stopClock();
    clearInterval(this.#reaper);
  }

  #busy(): boolean {
    if (this.#running > 0) return true;
    for (const queue of this.#queues.values()) if (queue.sync.length > 0) return true;
    return false;
  }

  #queue(functionId: string, target: Target): FunctionQueue {
    let queue = this.#queues.get(functionId);
    if (!queue) {
      queue = new FunctionQueue(functionId, target);
      // What comes now stays behind what waits already.
      queue.spilled = this.#expected.has(functionId);
      this.#queues.set(functionId, queue);
    }
    if (queue.target.deploymentId !== target.deploymentId) this.#pool.retire(queue.target.deploymentId);
    queue.target = target;
    this.#clock ??= setInterval(() => this.#tick(), TICK_MS);
    return queue;
  }

  /** Hands over whatever can be handed over now. */
  #pump(queue: FunctionQueue): void {
    const starts: { job: Job; thread: RunnerThread }[] = [];
    while (queue.sync.length > 0 || (queue.async.length > 0 && this.#brake.isOpen)) {
      const thread = this.#pool.get(queue.target)?.threadWithRoom(queue.ahead);
      if (!thread) break;
      const job = queue.shift()!;
      this.#running += 1;
      if (job.sync) {
        this.#queuedSyncBytes -= job.body.length;
        thread.assign(job);
      } else {
        this.#brake.take();
        thread.reserved += 1;
        starts.push({ job, thread });
      }
    }
    if (starts.length > 0) void this.#startAsync(starts, queue.target.deploymentId);
    this.#failIfHopeless(queue);
    if (queue.wantsMore && !this.#stopping) void this.#load(queue);
  }

  /** What may have run has a record: the frames leave after the commit. */
  async #startAsync(starts: { job: Job; thread: RunnerThread }[], deploymentId: string): Promise<void> {
    const jobs = starts.map(({ job }) => job);
    let committed = true;
    try {
      await this.#host.markStarted(jobs, deploymentId);
    } catch (error) {
      committed = false;
      this.#host.log('error', 'executions could not be marked as started; they wait', { error });
    }
    const back: Job[] = [];
    for (const { job, thread } of starts) {
      thread.reserved -= 1;
      if (committed && thread.state === 'up' && !this.#stopped) thread.assign(job);
      else back.push(job);
    }
    if (back.length > 0) await this.#returned(back, committed);
  }

  /** Executions that were to run and did not start go back to the head of their queue. */
  async #returned(jobs: Job[], marked = true): Promise<void> {
    const waiting = jobs.filter((job) => !job.sync);
    if (marked && waiting.length > 0) {
      await this.#host
        .markWaiting(waiting)
        .catch((error) => this.#host.log('error', 'executions could not be marked as waiting', { error }));
    }
    this.#running -= jobs.length;
    const queue = this.#queues.get(jobs[0]!.functionId)!;
    // They came back because something took long, or ended its thread.
    queue.observe(RECALL_AFTER_MS);
    queue.unshift(jobs);
    this.#queuedSyncBytes += jobs.reduce((sum, job) => sum + (job.sync ? job.body.length : 0), 0);
    if (this.#stopped) this.#failSync(queue, 'failure', STOPPED_BEFORE_START);
    else if (marked) this.#pump(queue);
    this.#checkIdle();
  }

  #ended(job: Job, outcome: Outcome): void {
    this.#running -= 1;
    const queue = this.#queues.get(job.functionId)!;
    queue.held.delete(job.seq);
    queue.observe(outcome.duration);
    this.#host.ended(job, outcome);
    this.#checkIdle();
  }

  async #load(queue: FunctionQueue): Promise<void> {
    const room = queue.beginLoad();
    try {
      queue.endLoad(await this.#host.loadWaiting(queue.functionId, queue.lastSeq, room));
    } catch (error) {
      queue.endLoad(null);
      this.#host.log('error', 'waiting executions could not be read', {
        functionId: queue.functionId,
        error,
      });
      return;
    }
    this.#pump(queue);
  }

  #runnerGone(runner: Runner, reason: string, failedToStart: boolean): void {
    const { functionId, deploymentId } = runner.target;
    if (failedToStart)
      this.#host.log('error', 'a runner failed to start', { functionId, deploymentId, reason });
    else if (!runner.retiring && !this.#stopped) {
      this.#host.log('warn', 'a runner ended', { functionId, deploymentId, reason });
    }
    // There is room for one more, whoever needs it.
    for (const queue of this.#queues.values()) if (queue.size > 0) this.#pump(queue);
    this.#checkIdle();
  }

  #runnerChanged(functionId: string): void {
    const queue = this.#queues.get(functionId);
    if (queue) this.#pump(queue);
  }

  /** Nothing waits for ever for a runner that can't start. */
  #failIfHopeless(queue: FunctionQueue): void {
    if (queue.size === 0) return;
    const failed = this.#pool.failure(queue.target.deploymentId);
    if (!failed || failed.count < MAX_FAILED_STARTS) return;
    const message =
      'The process that runs this function could not be started. The log of the server says why.';
    this.#failSync(queue, 'failure', message);
    for (let job = queue.shiftAsync(); job; job = queue.shiftAsync()) {
      queue.held.delete(job.seq);
      this.#host.ended(job, failure('failure', message));
    }
  }

  #failSync(
    queue: FunctionQueue,
    cause: Outcome['cause'],
    message: string,
    before = Number.POSITIVE_INFINITY,
  ): void {
    for (let job = queue.sync.peek(); job && job.deadline <= before; job = queue.sync.peek()) {
      queue.shift();
      this.#queuedSyncBytes -= job.body.length;
      this.#host.ended(job, failure(cause, message));
    }
  }

  #tick(): void {
    const now = performance.now();
    this.#brake.tick(this.#recentUtilization(), now);
    for (const runner of this.#pool.all()) runner.checkClock(now, RECALL_AFTER_MS);
    let waiting = false;
    for (const queue of this.#queues.values()) {
      this.#failSync(queue, 'limit', 'Execution timed out.', now);
      queue.refresh();
      // Even while it is being read what waits: whoever starts next is timed by this clock.
      if (queue.size === 0 && !queue.spilled) continue;
      waiting = true;
      this.#pump(queue);
    }
    this.#checkIdle();
    if (!waiting && this.#running === 0) this.#stopClock();
  }

  /** The share of its time that this thread was busy since the last tick. */
  #recentUtilization(): number {
    const total = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(total, this.#utilization);
    this.#utilization = total;
    return utilization;
  }

  #stopClock(): void {
    if (this.#clock) clearInterval(this.#clock);
    this.#clock = null;
    this.#brake.release();
  }

  #checkIdle(): void {
    if (this.#onIdle && !this.#busy() && (!this.#stopped || this.#pool.size === 0)) this.#onIdle();
  }
}
