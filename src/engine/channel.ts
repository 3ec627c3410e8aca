/**
 * The channel between the server and a runner: every message type of both ends, and the frames they travel in.
 *
 * A runner inherits its sockets as file descriptors: descriptor 3 is its *control* socket, descriptors 4 and up
 * are one socket for each worker thread it may ever have (`threadDescriptor`). A frame is
 *
 *     u32 BE  length of the header in bytes
 *     u32 BE  length of the body in bytes
 *     header  a JSON object with a `type`
 *     body    raw bytes, may be empty
 *
 * The runner is hostile to the server: every length is capped here, every field is checked by who reads it.
 */

/** Descriptor of the control socket in the runner. */
export const CONTROL_DESCRIPTOR = 3;

/** Descriptor of the socket of worker thread `thread` (0, 1, …) in the runner. */
export const threadDescriptor = (thread: number): number => CONTROL_DESCRIPTOR + 1 + thread;

export const FRAME_PREFIX_BYTES = 8;
export const MAX_HEADER_BYTES = 512 * 1024;
/** Largest body of a frame: a request or response body of 20 MiB. */
export const MAX_BODY_BYTES = 20_971_520;

/** Largest request or response body of an execution, in bytes. */
export const MAX_EXECUTION_BODY_BYTES = 20_971_520;

/** Server → runner, on the control socket. */
export type ControlMessage =
  /** First frame: what this runner serves. Boot is complete when `ready` comes back. */
  | {
      type: 'boot';
      functionId: string;
      /** Absolute path of the deployment's root as the runner sees it. */
      codeDirectory: string;
      /** The entrypoint as the user named it (for messages), relative to `codeDirectory`. */
      entrypoint: string;
      /** The file to import, relative to `codeDirectory`: the entrypoint, or what it was compiled to. */
      startFile: string;
      /** Becomes `process.env` of the worker threads, entirely. */
      env: Record<string, string>;
      maxThreads: number;
      /** V8 old-generation limit of one thread, MiB. */
      maxHeapMegabytes: number;
    }
  /** Start a worker thread on descriptor `threadDescriptor(thread)`; each number is used once. */
  | { type: 'start'; thread: number }
  /** End that thread at once, whatever it does. */
  | { type: 'kill'; thread: number };

/** Runner → server, on the control socket. */
export type ControlReply =
  | { type: 'ready' }
  /** A thread is gone. `reason` is a sentence for the execution's errors, e.g. that memory ran out. */
  | { type: 'ended'; thread: number; reason: string };

/** Server → worker thread, on the thread's own socket. The body of `execute` is the request's body. */
export type ThreadMessage =
  | {
      type: 'execute';
      /** Number of this execution on this channel. */
      id: number;
      /** The thread must say `started` before it calls the function (it was handed over in advance). */
      announce: boolean;
      method: string;
      /** Path and query string. */
      path: string;
      /** Names in lower case. */
      headers: Record<string, string>;
      /** Whether logs and errors are kept at all. */
      logging: boolean;
    }
  /** Give back what has not started. */
  | { type: 'recall' };

/**
 * Worker thread → server, on the thread's own socket. The body of `log` is UTF-8 text (ending in a newline),
 * of `result` the response's body, of `output` text that belongs to no execution.
 */
export type ThreadReply =
  /** The thread is up and takes executions. Nothing of the function has been loaded yet. */
  | { type: 'hello' }
  | { type: 'started'; id: number }
  | { type: 'log'; id: number; stream: 'logs' | 'errors' }
  | {
      type: 'result';
      id: number;
      status: number;
      /** Names in lower case; a name may come several times. */
      headers: [string, string][];
      /** Milliseconds from the start of this execution to its end, by the thread's clock. */
      duration: number;
      /** The execution that starts right now: stands for a `started` of its own. */
      next?: number;
    }
  /** Executions that were handed over and will not be started. */
  | { type: 'recalled'; ids: number[] }
  | { type: 'output' };

export class ChannelError extends Error {
  override name = 'ChannelError';
}

const NO_BODY = Buffer.alloc(0);

/**
 * One frame as a single buffer.
 * @throws ChannelError when the header or the body is larger than a frame may hold.
 */
export function encodeFrame(header: object, body: Uint8Array = NO_BODY): Buffer {
  const text = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(text);
  if (headerBytes > MAX_HEADER_BYTES)
    throw new ChannelError(`a frame header of ${headerBytes} bytes is too large`);
  if (body.byteLength > MAX_BODY_BYTES)
    throw new ChannelError(`a frame body of ${body.byteLength} bytes is too large`);
  const frame = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + headerBytes + body.byteLength);
  frame.writeUInt32BE(headerBytes, 0);
  frame.writeUInt32BE(body.byteLength, 4);
  frame.write(text, FRAME_PREFIX_BYTES);
  frame.set(body, FRAME_PREFIX_BYTES + headerBytes);
  return frame;
}

/** The first piece of an incomplete frame gets a buffer of this size, bytes; it doubles as needed. */
const FIRST_BUFFER_BYTES = 4 * 1024;

/**
 * Cuts a stream of bytes into frames. Holds at most one incomplete frame, in memory of at most twice the bytes that
 * have come: neither what a frame announces nor the pieces it comes in make it allocate more.
 */
export class FrameReader {
  readonly #onFrame: (header: Record<string, unknown>, body: Buffer) => void;
  readonly #maxBodyBytes: number;
  /** The first `#size` bytes are those of the incomplete frame. */
  #buffer = NO_BODY;
  #size = 0;
  /** Bytes needed before there is anything to do. */
  #wanted = FRAME_PREFIX_BYTES;

  /** `onFrame` gets each header (a JSON object, otherwise unchecked) with its body. */
  constructor(
    onFrame: (header: Record<string, unknown>, body: Buffer) => void,
    maxBodyBytes: number = MAX_BODY_BYTES,
  ) {
    this.#onFrame = onFrame;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for every frame they complete.
   * @throws ChannelError on a length beyond the caps or a header that is no JSON object; the stream is then useless.
   */
  push(chunk: Buffer): void {
    if (this.#size + chunk.length < this.#wanted) {
      this.#keep(chunk);
      return;
    }
    let data = chunk;
    if (this.#size > 0) {
      this.#keep(chunk);
      data = this.#buffer.subarray(0, this.#size);
    }
    // Bodies that were passed on may lie in it, so it is never written to again.
    this.#buffer = NO_BODY;
    this.#size = 0;
    const rest = data.subarray(this.#cut(data));
    if (rest.length > 0) this.#keep(rest);
  }

  /** Passes on the frames that are complete, and answers where the first incomplete one begins. */
  #cut(data: Buffer): number {
    let offset = 0;
    this.#wanted = FRAME_PREFIX_BYTES;
    while (data.length - offset >= FRAME_PREFIX_BYTES) {
      const headerBytes = data.readUInt32BE(offset);
      const bodyBytes = data.readUInt32BE(offset + 4);
      if (headerBytes > MAX_HEADER_BYTES || bodyBytes > this.#maxBodyBytes) {
        throw new ChannelError(`a frame of ${headerBytes} + ${bodyBytes} bytes is too large`);
      }
      const frameBytes = FRAME_PREFIX_BYTES + headerBytes + bodyBytes;
      if (data.length - offset < frameBytes) {
        this.#wanted = frameBytes;
        break;
      }
      const bodyStart = offset + FRAME_PREFIX_BYTES + headerBytes;
      const header = parseHeader(data.toString('utf8', offset + FRAME_PREFIX_BYTES, bodyStart));
      const body = data.subarray(bodyStart, bodyStart + bodyBytes);
      offset += frameBytes;
      this.#onFrame(header, body);
    }
    return offset;
  }

  #keep(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BUFFER_BYTES, size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#size);
    this.#size = size;
  }
}

function parseHeader(text: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new ChannelError('a frame header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new ChannelError('a frame header is not an object');
  }
  return header as Record<string, unknown>;
}
