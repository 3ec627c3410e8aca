import type { Socket } from 'node:net';
import { ChannelError, encodeFrame, FrameReader, type ThreadMessage } from './channel.js';
import { LogTail } from './log-tail.js';
import { type Reply, readReply } from './replies.js';
import type { Job, Outcome } from './types.js';

/** Bytes of request bodies that may wait in a thread beside the first one: more is handed over one at a time. */
const MAX_BYTES_AHEAD = 1024 * 1024;
/** Output that belongs to no execution, for the server's own log: at most this many characters a piece. */
const MAX_OUTPUT_CHARACTERS = 4_000;

/** How long a channel may stay open after its process has ended. */
const CLOSE_DEADLINE_MS = 500;

/** How long to wait for the reason of a thread's end. */
const REASON_DEADLINE_MS = 1_000;

export interface ThreadEvents {
  /** There is room for another execution. */
  free(): void;
  ended(job: Job, outcome: Outcome): void;
  /** These were handed over and never started. */
  returned(jobs: Job[]): void;
  /** Text that no execution wrote. */
  output(text: string): void;
  /** What came over the channel makes no sense: its runner is not to be trusted any more. */
  violation(reason: string): void;
  /** The channel is closed and every execution has been ended or returned. */
  gone(): void;
}

interface Assignment {
  id: number;
  job: Job;
  /** `performance.now()` when it started, as far as the server can tell; 0: not started. */
  startedAt: number;
  logs: LogTail;
  errors: LogTail;
  /** Already ended on record, while it waited in the thread. */
  abandoned: boolean;
}

/**
 * The server's end of one worker thread of a runner.
 *
 *     starting ──hello──> up ──kill──> killed ──channel closed──> gone
 *                          └───────────channel closed────────────> gone
 *
 * Executions run in the order they were handed over. The first one handed to a thread that has nothing to do counts
 * as started at once; any other when the thread says so. So after a thread's end it is known which may have run:
 * only those that certainly did not are handed to another one.
 */
export class RunnerThread {
  readonly index: number;
  state: 'starting' | 'up' | 'killed' | 'gone' = 'starting';
  /** Places promised to executions whose start is being committed. */
  reserved = 0;
  readonly #socket: Socket;
  readonly #events: ThreadEvents;
  readonly #reader: FrameReader;
  #assignments: Assignment[] = [];
  #nextId = 1;
  #bytesAhead = 0;
  #pendingFrames: Buffer[] = [];
  #recalled = false;
  #killedFor: Pick<Outcome, 'cause' | 'errors'> | null = null;
  /** Why it ended, as the runner's main thread says. */
  #endReason = '';
  /** Its channel is closed, and the reason is still to come. */
  #closed = false;

  constructor(index: number, socket: Socket, events: ThreadEvents) {
    this.index = index;
    this.#socket = socket;
    this.#events = events;
    this.#reader = new FrameReader((header, body) => this.#receive(readReply(header), body));
    keepReadingAfterWriteError(socket);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => this.closeWhenRead());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#close());
  }

  /** Executions in it, or promised to it. */
  get load(): number {
    return this.#assignments.length + this.reserved;
  }

  /** Whether it takes another execution while at most `limit` may be in it. */
  hasRoom(limit: number): boolean {
    if (this.state !== 'up' || this.#recalled) return false;
    return this.load === 0 || (this.load < limit && this.#bytesAhead < MAX_BYTES_AHEAD);
  }

  /**
   * Hands an execution over. Its record must say `processing` on disk already. One that no frame can hold has ended:
   * it must not take anything else with it.
   */
  assign(job: Job): void {
    const idle = this.#assignments.length === 0;
    const id = this.#nextId++;
    let frame: Buffer;
    try {
      frame = executeFrame(id, !idle, job);
    } catch (error) {
      this.#events.ended(
        job,
        failure('failure', `The request can't be handed over: ${(error as Error).message}.`),
      );
      return;
    }
    const assignment: Assignment = {
      id,
      job,
      startedAt: idle ? performance.now() : 0,
      logs: new LogTail('Logs'),
      errors: new LogTail('Errors'),
      abandoned: false,
    };
    this.#assignments.push(assignment);
    this.#bytesAhead += job.body.length;
    this.#send(frame);
  }

  /**
   * Looks at the clock: what has run for too long is ended, and with it the thread; what waits behind a long one is
   * asked back. `now` is `performance.now()`.
   */
  checkClock(now: number, recallAfterMs: number): void {
    if (this.state !== 'up') return;
    const first = this.#assignments[0];
    if (!first) return;
    this.#abandonLate(now);
    if (first.startedAt === 0) return;
    const elapsed = now - first.startedAt;
    if (elapsed >= first.job.timeoutMs) {
      this.kill({ cause: 'failure', errors: 'Execution timed out.' });
    } else if (now >= first.job.deadline) {
      this.kill({ cause: 'limit', errors: 'Execution timed out.' });
    } else if (elapsed > recallAfterMs && this.#assignments.length > 1 && !this.#recalled) {
      this.#recalled = true;
      this.#send(encodeFrame({ type: 'recall' } satisfies ThreadMessage));
    }
  }

  /** Ends the thread; `killedFor` becomes the outcome of the execution that runs in it. */
  kill(killedFor: Pick<Outcome, 'cause' | 'errors'>): void {
    if (this.state !== 'up' && this.state !== 'starting') return;
    this.state = 'killed';
    this.#killedFor = killedFor;
    this.onKill();
  }

  /** Set by the runner: tells its main thread to end this thread. */
  onKill: () => void = () => {};

  /** The runner says why the thread ends; the first reason counts. */
  explainEnd(reason: string): void {
    this.#endReason ||= reason;
    if (this.#closed) this.#finish();
  }

  /** Its process is gone: closes when all that is still in the channel has been read. */
  closeWhenRead(): void {
    // A process of the function's own may hold the other end open; it is not waited for.
    setTimeout(() => this.#socket.destroy(), CLOSE_DEADLINE_MS).unref();
  }

  /** It can't be ended and is given up: whatever its process still does with it, its executions are over. */
  giveUp(): void {
    this.#socket.destroy();
  }

  #send(frame: Buffer): void {
    // Frames of one turn leave in one system call.
    if (this.#pendingFrames.length === 0) {
      process.nextTick(() => {
        const frames = this.#pendingFrames;
        this.#pendingFrames = [];
        if (!this.#socket.destroyed) {
          this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
        }
      });
    }
    this.#pendingFrames.push(frame);
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      this.#socket.destroy();
      this.#events.violation(error.message);
    }
  }

  #receive(reply: Reply, body: Buffer): void {
    if (this.state === 'gone') return;
    switch (reply.type) {
      case 'hello':
        if (this.state === 'starting') {
          this.state = 'up';
          this.#events.free();
        }
        return;
      case 'started':
        this.#started(reply.id);
        return;
      case 'log': {
        const first = this.#assignments[0];
        if (first?.id === reply.id && first.startedAt > 0) first[reply.stream].push(body.toString('utf8'));
        return;
      }
      case 'result':
        this.#result(reply, body);
        return;
      case 'recalled':
        this.#giveBack(reply.ids);
        return;
      case 'output':
        this.#events.output(body.toString('utf8', 0, MAX_OUTPUT_CHARACTERS));
    }
  }

  #started(id: number): void {
    const first = this.#assignments[0];
    if (first?.id !== id || first.startedAt > 0) throw new ChannelError(`execution ${id} can't start now`);
    first.startedAt = performance.now();
    // It has been ended on record while it waited here, so it must not run.
    if (first.abandoned) this.kill({ cause: 'limit', errors: '' });
  }

  #result(reply: Extract<Reply, { type: 'result' }>, body: Buffer): void {
    const first = this.#assignments[0];
    if (first?.id !== reply.id || first.startedAt === 0) {
      throw new ChannelError(`a result for execution ${reply.id}, which is not running`);
    }
    const elapsed = performance.now() - first.startedAt;
    this.#drop(first);
    this.#end(first, {
      status: reply.status,
      headers: reply.headers,
      body: Buffer.from(body),
      logs: first.logs.toString(),
      errors: first.errors.toString(),
      // The thread knows best, but can't have taken longer than the server waited.
      duration: Math.min(reply.duration, elapsed),
      cause: 'response',
    });
    if (reply.next !== undefined) this.#started(reply.next);
    if (this.#assignments.length === 0) this.#recalled = false;
    this.#events.free();
  }

  #giveBack(ids: number[]): void {
    const back = this.#assignments.filter((a) => a.startedAt === 0 && ids.includes(a.id));
    for (const assignment of back) this.#drop(assignment);
    this.#recalled = this.#assignments.length > 1;
    this.#return(back);
    this.#events.free();
  }

  /** Sync executions whose time is over although they never started here. */
  #abandonLate(now: number): void {
    for (const assignment of this.#assignments) {
      if (assignment.startedAt > 0 || assignment.abandoned || now < assignment.job.deadline) continue;
      assignment.abandoned = true;
      this.#events.ended(assignment.job, failure('limit', 'Execution timed out.'));
    }
  }

  #drop(assignment: Assignment): void {
    this.#assignments.splice(this.#assignments.indexOf(assignment), 1);
    this.#bytesAhead -= assignment.job.body.length;
  }

  #end(assignment: Assignment, outcome: Outcome): void {
    if (!assignment.abandoned) this.#events.ended(assignment.job, outcome);
  }

  #return(assignments: Assignment[]): void {
    const jobs = assignments.filter((assignment) => !assignment.abandoned).map(({ job }) => job);
    if (jobs.length > 0) this.#events.returned(jobs);
  }

  /** The reason travels on another socket, so it may come a little later than the end itself. */
  #close(): void {
    this.#closed = true;
    if (this.state === 'starting' || this.state === 'up') this.state = 'killed';
    const first = this.#assignments[0];
    if (!first || first.startedAt === 0 || this.#killedFor || this.#endReason) this.#finish();
    else setTimeout(() => this.#finish(), REASON_DEADLINE_MS).unref();
  }

  #finish(): void {
    if (this.state === 'gone') return;
    this.state = 'gone';
    const assignments = this.#assignments;
    this.#assignments = [];
    const first = assignments[0];
    if (first && first.startedAt > 0) {
      assignments.shift();
      this.#end(first, this.#outcomeOfEnd(first));
    }
    this.#return(assignments);
    this.#events.gone();
  }

  /** The thread is gone, and this execution with it. What it wrote before is kept. */
  #outcomeOfEnd(assignment: Assignment): Outcome {
    const { cause, errors } = this.#killedFor ?? {
      cause: 'failure',
      errors: this.#endReason || 'The function ended its own thread.',
    };
    if (assignment.job.logging && errors) assignment.errors.push(errors);
    return {
      ...failure(cause, assignment.errors.toString()),
      logs: assignment.logs.toString(),
      duration: performance.now() - assignment.startedAt,
    };
  }
}

/**
 * A thread that has ended may have left results in its channel. Writing to it fails then, and by default a socket
 * throws away what it has not read when that happens: those executions would count as cut off, and the one that ran
 * last as not started. So a failed write is no error here; that the channel has ended shows when it is read.
 */
function keepReadingAfterWriteError(socket: Socket): void {
  const { _write: write, _writev: writev } = socket;
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, () => done());
  socket._writev = writev && ((chunks, done) => writev.call(socket, chunks, () => done()));
}

/** @throws ChannelError when it is too large. */
function executeFrame(id: number, announce: boolean, { method, path, headers, logging, body }: Job): Buffer {
  return encodeFrame(
    { type: 'execute', id, announce, method, path, headers, logging } satisfies ThreadMessage,
    body,
  );
}

/** The outcome of an execution that gave no response. */
export function failure(cause: Outcome['cause'], errors: string, status = 500): Outcome {
  return { status, headers: [], body: Buffer.alloc(0), logs: '', errors, duration: 0, cause };
}
