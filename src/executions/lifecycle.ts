import type { HeaderList, Outcome } from '../engine/types.js';
import type { ExecutionStore } from './store.js';
import type { Ending, Execution, ExecutionStatus, Input } from './types.js';

/*
 * The life of an execution. This file is the only place that sets a status.
 *
 *     (new) ──> waiting ──> processing ──> completed | failed     async
 *     (new) ──────────────> processing ──> completed | failed     sync
 *     (new) ──> scheduled ──> waiting                             delayed, when its minute comes
 *     processing ──> waiting         its thread died before it started
 *     processing ──> failed          the server stopped while it ran
 *     waiting ──> failed             nothing can run it any more
 */

/** Response headers that stay on record. Contract: executions, the Execution. */
const KEPT_RESPONSE_HEADERS = new Set(['content-type', 'content-length']);

/** Written into the errors of what a server that came back found `processing`. */
export const INTERRUPTED =
  'The server stopped while this execution ran. It may have run in part; it is not run again.';

export class Lifecycle {
  readonly #store: ExecutionStore;

  constructor(store: ExecutionStore) {
    this.#store = store;
  }

  /** A sync execution begins: nothing but its caller waits for it, so what it needs to run is not stored. */
  admitSync(execution: Execution): Promise<void> {
    execution.status = 'processing';
    return this.#store.insert(execution, null);
  }

  /** An async execution begins. */
  admitAsync(execution: Execution, input: Input): Promise<void> {
    execution.status = 'waiting';
    return this.#store.insert(execution, input);
  }

  /** Executions are about to be handed to a runner of that deployment. */
  start(seqs: number[], deploymentId: string): Promise<void> {
    return this.#store.setStatus(seqs, 'waiting', 'processing', deploymentId, Date.now());
  }

  /** Executions were handed over and certainly did not start. */
  takeBack(seqs: number[]): Promise<void> {
    return this.#store.setStatus(seqs, 'processing', 'waiting', null, Date.now());
  }

  /** An execution has ended; answers what is written down. `isAwaited`: somebody waits for that. */
  async end(seq: number, outcome: Outcome, logging: boolean, isAwaited = true): Promise<Ending> {
    const ending: Ending = {
      status: statusOf(outcome),
      responseStatusCode: outcome.status,
      responseHeaders: outcome.headers.filter(([name]) => KEPT_RESPONSE_HEADERS.has(name)),
      duration: Math.round(outcome.duration * 1_000) / 1_000_000,
      logs: logging ? outcome.logs : '',
      errors: logging ? outcome.errors : '',
      at: Date.now(),
    };
    await this.#store.end(seq, ending, isAwaited);
    return ending;
  }

  /** The server has just started: nothing runs yet, so whatever a record says is running was cut off. */
  async endInterrupted(): Promise<number> {
    let count = 0;
    for (const functionId of await this.#store.functionsWith('processing')) {
      for (;;) {
        const seqs = await this.#store.seqsWith(functionId, 'processing');
        if (seqs.length === 0) break;
        await Promise.all(seqs.map((seq) => this.#store.end(seq, interrupted())));
        count += seqs.length;
      }
    }
    return count;
  }
}

/** Contract: an answer of 500 and above has failed, any other has completed. */
function statusOf(outcome: Outcome): ExecutionStatus {
  return outcome.cause !== 'response' || outcome.status >= 500 ? 'failed' : 'completed';
}

function interrupted(): Ending {
  return {
    status: 'failed',
    responseStatusCode: 500,
    responseHeaders: [] satisfies HeaderList,
    duration: 0,
    logs: '',
    errors: INTERRUPTED,
    at: Date.now(),
  };
}
