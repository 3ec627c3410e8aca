import { type Entry, readAdmitEntry, readEndEntry } from './journal-entries.js';
import type { Ending, Execution, ExecutionStatus, Input } from './types.js';

/** What a slice has left of one execution. */
export interface Change {
  seq: number;
  status: ExecutionStatus;
  /** The record, if it is new. */
  record: Execution | null;
  input: Input | null;
  deploymentId: string | null;
  ending: Ending | null;
  updatedAt: number;
}

/** What a slice of the journal comes to: each execution is written once, whatever happened to it in the slice. */
export class Changes {
  readonly #changes = new Map<number, Change>();
  readonly #load: (seq: number) => ExecutionStatus | undefined;

  /** `load` answers the status of an execution in the tables, if it is there. */
  constructor(load: (seq: number) => ExecutionStatus | undefined) {
    this.#load = load;
  }

  all(): Iterable<Change> {
    return this.#changes.values();
  }

  /** Takes the next entry. What has ended stays as it ended, and a status only changes from the one it says. */
  fold(entry: Entry): void {
    if (entry[0] === 'admit') {
      const { execution, input } = readAdmitEntry(entry);
      const { seq, status, updatedAt } = execution;
      this.#changes.set(seq, {
        seq,
        status,
        record: execution,
        input,
        deploymentId: null,
        ending: null,
        updatedAt,
      });
      return;
    }
    for (const seq of entry[0] === 'end' ? [entry[1]] : entry[1]) {
      const change = this.#changes.get(seq) ?? this.#existing(seq);
      if (!change || !isUnfinished(change.status)) continue;
      this.#changes.set(seq, change);
      if (entry[0] === 'end') {
        change.ending = readEndEntry(entry);
        change.status = change.ending.status;
        change.updatedAt = change.ending.at;
        change.input = null;
      } else if (change.status === entry[2]) {
        change.status = entry[3];
        change.deploymentId = entry[4] ?? change.deploymentId;
        change.updatedAt = entry[5];
      }
    }
  }

  #existing(seq: number): Change | null {
    const status = this.#load(seq);
    if (status === undefined) return null;
    return { seq, status, record: null, input: null, deploymentId: null, ending: null, updatedAt: 0 };
  }
}

const isUnfinished = (status: ExecutionStatus): boolean => status !== 'completed' && status !== 'failed';
