import type { ListQuery } from '../db/query.js';
import type { Dispatcher, DispatcherHost } from '../engine/dispatcher.js';
import type { Room, Waiting } from '../engine/function-queue.js';
import type { Job, Outcome, Target } from '../engine/types.js';
import { ApiError } from '../errors.js';
import type { FunctionRecord } from '../functions/types.js';
import { newId } from '../ids.js';
import { addEnding, jobOf, newExecution } from './admission.js';
import type { Lifecycle } from './lifecycle.js';
import { checkExecuteRole } from './roles.js';
import type { ExecutionStore } from './store.js';
import type { Caller, Ending, Execution, ExecutionRequest, ExecutionResult } from './types.js';

/** Before an ending that could not be written is written again, ms. */
const RETRY_END_MS = 1_000;

/** Finds what runs a function. */
export interface Targets {
  /**
   * The active deployment of a function, ready to run.
   * @throws ApiError function_runtime_unsupported, deployment_not_found or build_not_ready.
   */
  resolve(record: FunctionRecord): Promise<Target>;
}

export interface ExecutionsDependencies {
  store: ExecutionStore;
  lifecycle: Lifecycle;
  functions: { get(id: string): Promise<FunctionRecord | null> };
  targets: Targets;
  /** Sequence numbers of a page. `functionId` null: of all functions. */
  page(
    functionId: string | null,
    query: ListQuery,
    caller: Caller,
  ): Promise<{ total: number; sequences: number[] }>;
  log: DispatcherHost['log'];
}

/** Waits for the end of a sync execution. */
interface Waiter {
  resolve(end: { ending: Ending; outcome: Outcome }): void;
  reject(error: unknown): void;
}

/** Everything that is done with executions. */
export class Executions {
  readonly #deps: ExecutionsDependencies;
  readonly #dispatcher: Dispatcher;
  readonly #waiters = new Map<number, Waiter>();
  /** Endings that are being written. */
  readonly #ends = new Set<Promise<void>>();
  #isStopping = false;

  /** `makeDispatcher` is given what a dispatcher asks of the records. */
  constructor(deps: ExecutionsDependencies, makeDispatcher: (host: DispatcherHost) => Dispatcher) {
    this.#deps = deps;
    this.#dispatcher = makeDispatcher({
      markStarted: (jobs, deploymentId) =>
        deps.lifecycle.start(
          jobs.map(({ seq }) => seq),
          deploymentId,
        ),
      markWaiting: (jobs) => deps.lifecycle.takeBack(jobs.map(({ seq }) => seq)),
      loadWaiting: (functionId, afterSeq, room) => this.#loadWaiting(functionId, afterSeq, room),
      ended: (job, outcome) => this.#ended(job, outcome),
      log: deps.log,
    });
  }

  /**
   * Runs a function: answers when it has ended, or, if async, when it is accepted. The checks and their order are
   * the contract's (executions, create).
   * @throws ApiError.
   */
  async create(request: ExecutionRequest): Promise<ExecutionResult> {
    const record = await this.#function(request.functionId, request.caller);
    const target = await this.#deps.targets.resolve(record);
    checkExecuteRole(record, request);
    const execution = newExecution(newId(), target, request);
    if (request.async) {
      await this.#deps.lifecycle.admitAsync(execution, request);
      this.#dispatcher.enqueueAsync(jobOf(record, execution, request, false), target);
      return { execution, response: null };
    }
    const job = jobOf(record, execution, request, true);
    this.#dispatcher.reserveSync(record.id);
    try {
      await this.#deps.lifecycle.admitSync(execution);
    } catch (error) {
      this.#dispatcher.cancelSync(record.id);
      throw error;
    }
    job.seq = execution.seq;
    const { ending, outcome } = await new Promise<Parameters<Waiter['resolve']>[0]>((resolve, reject) => {
      this.#waiters.set(execution.seq, { resolve, reject });
      this.#dispatcher.enqueueSync(job, target);
    });
    if (outcome.cause === 'limit') throw new ApiError('function_synchronous_timeout');
    addEnding(execution, ending);
    return {
      execution,
      response: { status: outcome.status, headers: outcome.headers, body: outcome.body },
    };
  }

  /**
   * One execution. `functionId` null: whichever function's it is.
   * @throws ApiError function_not_found or execution_not_found.
   */
  async get(functionId: string | null, executionId: string, caller: Caller): Promise<Execution> {
    if (functionId !== null) await this.#function(functionId, caller);
    const execution = await this.#deps.store.get(executionId);
    if (!execution || (functionId !== null && execution.functionId !== functionId) || !mayRead(caller)) {
      throw new ApiError('execution_not_found');
    }
    return execution;
  }

  /**
   * A page of the executions of a function, or of all (`functionId` null).
   * @throws ApiError function_not_found, general_cursor_not_found, database_timeout.
   */
  async list(
    functionId: string | null,
    query: ListQuery,
    caller: Caller,
  ): Promise<{ total: number; executions: Execution[] }> {
    if (functionId !== null) await this.#function(functionId, caller);
    await this.#deps.store.settle();
    const { total, sequences } = await this.#deps.page(functionId, query, caller);
    return { total, executions: await this.#deps.store.getForList(sequences) };
  }

  /** @throws ApiError function_not_found, execution_not_found or execution_in_progress. */
  async delete(functionId: string, executionId: string): Promise<void> {
    const execution = await this.get(functionId, executionId, { kind: 'key', id: '', scopes: [] });
    if (execution.status === 'waiting' || execution.status === 'processing') {
      throw new ApiError('execution_in_progress');
    }
    await this.#deps.store.delete([execution.seq]);
  }

  /**
   * Looks at what an earlier process of this server left behind, before anything new comes: what it says is running was
   * cut off. Answers how many executions that is, and the functions of which some wait.
   */
  async prepare(): Promise<{ interrupted: number; waiting: string[] }> {
    const interrupted = await this.#deps.lifecycle.endInterrupted();
    const waiting = await this.#deps.store.functionsWith('waiting');
    this.#dispatcher.expect(waiting);
    return { interrupted, waiting };
  }

  /** Takes up what an earlier process had accepted: `waiting`, as `prepare` found it. */
  async recover(waiting: string[]): Promise<void> {
    for (const functionId of waiting) {
      const record = await this.#deps.functions.get(functionId);
      if (record) await this.#resume(record);
    }
  }

  /** Lets running executions end, at most `budgetMs`, then ends all runners. Every record is on disk afterwards. */
  async stop(budgetMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#dispatcher.stop(budgetMs);
    while (this.#ends.size > 0) await Promise.allSettled(this.#ends);
  }

  async #resume(record: FunctionRecord): Promise<void> {
    if (!record.enabled) {
      await this.#failWaiting(record, 'The function was disabled before this execution could start.');
      return;
    }
    try {
      this.#dispatcher.resume(record.id, await this.#deps.targets.resolve(record));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      await this.#failWaiting(record, error.message);
    }
  }

  /** Nothing may run these any more: the function changed while the server was down. */
  async #failWaiting(record: FunctionRecord, errors: string): Promise<void> {
    const { store, lifecycle } = this.#deps;
    const outcome: Outcome = {
      status: 0,
      headers: [],
      body: Buffer.alloc(0),
      logs: '',
      errors,
      duration: 0,
      cause: 'failure',
    };
    for (;;) {
      const seqs = await store.seqsWith(record.id, 'waiting');
      if (seqs.length === 0) return;
      await Promise.all(seqs.map((seq) => lifecycle.end(seq, outcome, record.logging)));
    }
  }

  async #function(id: string, caller: Caller): Promise<FunctionRecord> {
    const record = await this.#deps.functions.get(id);
    if (!record || (!record.enabled && caller.kind !== 'key')) throw new ApiError('function_not_found');
    return record;
  }

  async #loadWaiting(functionId: string, afterSeq: number, room: Room): Promise<Waiting> {
    const record = await this.#deps.functions.get(functionId);
    if (!record) return { items: [], end: 'all' };
    const { items, end } = await this.#deps.store.waiting(functionId, afterSeq, room);
    return { items: items.map((waiting) => jobOf(record, waiting, waiting, false)), end };
  }

  #ended(job: Job, outcome: Outcome): void {
    const end = this.#end(job, outcome).finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  async #end(job: Job, outcome: Outcome): Promise<void> {
    const waiter = this.#waiters.get(job.seq);
    this.#waiters.delete(job.seq);
    for (;;) {
      try {
        const ending = await this.#deps.lifecycle.end(job.seq, outcome, job.logging, waiter !== undefined);
        waiter?.resolve({ ending, outcome });
        return;
      } catch (error) {
        this.#deps.log('error', 'the end of an execution could not be written', {
          executionId: job.id,
          error,
        });
        waiter?.reject(error);
      }
      // A full disk may have room again; if not, the next start finds the record as one that was cut off.
      if (this.#isStopping) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_END_MS));
    }
  }
}

/** Guests have no executions of their own; keys see all. */
const mayRead = (caller: Caller): boolean => caller.kind === 'key';
