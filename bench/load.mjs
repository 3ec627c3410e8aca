/**
 * A load generator: sends one request over and over on keep-alive connections, one at a time on each, and checks
 * every answer's status. A process of its own, with its requests made beforehand, so that it costs little and the
 * same for whatever is measured; one process for all of it, so that none pays for its start.
 *
 * Reads one JSON line for each measurement:
 *     {"url": …, "headers": {…}, "body": "…", "status": 201, "connections": 32, "seconds": 5}
 * `count` in place of `seconds` sends exactly that many. Prints one JSON line for each:
 * { requests, seconds, rate (per second), p50, p99 (ms) }. Ends with 1 at the first answer that is not as it should.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

function fail(message) {
  console.error(`load: ${message}`);
  process.exit(1);
}

function requestBytes({ url, headers, body }) {
  const { pathname, host } = new URL(url);
  const head = {
    host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

/** The whole length of the answer that `text` starts with, or 0 while its head is incomplete. */
function answerLength(text, statusLine) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  if (!text.startsWith(statusLine)) fail(`${statusLine}expected, got ${text.slice(0, 1000)}`);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  if (length === undefined) fail(`no content-length in ${text.slice(0, headEnd)}`);
  return headEnd + 4 + Number(length);
}

/** One measurement. */
class Load {
  sent = 0;
  running = 0;
  latencies = [];

  constructor(options) {
    this.options = options;
    this.bytes = requestBytes(options);
    this.statusLine = `HTTP/1.1 ${options.status} `;
  }

  run() {
    const { connections, seconds } = this.options;
    this.start = performance.now();
    this.end = seconds === undefined ? Number.POSITIVE_INFINITY : this.start + seconds * 1000;
    this.running = connections;
    return new Promise((resolve) => {
      this.resolve = resolve;
      for (let i = 0; i < connections; i++) new Connection(this).open();
    });
  }

  /** Whether there is more to send at this time. */
  takeTurn(now) {
    if (this.sent === this.options.count || now >= this.end) return false;
    this.sent++;
    return true;
  }

  closed() {
    this.running--;
    if (this.running === 0) this.resolve(report((performance.now() - this.start) / 1000, this.latencies));
  }
}

/** Methods, and not functions made for each: those would have to be compiled anew for each connection. */
class Connection {
  text = '';
  sentAt = 0;

  constructor(load) {
    this.load = load;
  }

  open() {
    const { hostname, port } = new URL(this.load.options.url);
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on('connect', () => this.next());
    this.socket.on('error', (error) => fail(error.message));
    this.socket.on('end', () => fail('the connection was closed'));
    this.socket.on('data', (chunk) => this.read(chunk));
  }

  next() {
    this.sentAt = performance.now();
    if (this.load.takeTurn(this.sentAt)) {
      this.socket.write(this.load.bytes);
      return;
    }
    this.socket.destroy();
    this.load.closed();
  }

  read(chunk) {
    // latin1: one character for each byte.
    this.text += chunk.latin1Slice();
    const length = answerLength(this.text, this.load.statusLine);
    if (length === 0 || this.text.length < length) return;
    if (this.text.length > length) fail('more than one answer to a request');
    this.text = '';
    this.load.latencies.push(performance.now() - this.sentAt);
    this.next();
  }
}

function report(seconds, latencies) {
  latencies.sort((a, b) => a - b);
  const at = (share) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  const requests = latencies.length;
  return { requests, seconds, rate: requests / seconds, p50: at(0.5), p99: at(0.99) };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await new Load(JSON.parse(line)).run()));
}
