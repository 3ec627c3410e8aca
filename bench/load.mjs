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

function measure(options) {
  const { connections, seconds, count } = options;
  const { hostname, port } = new URL(options.url);
  const statusLine = `HTTP/1.1 ${options.status} `;
  const bytes = requestBytes(options);
  const latencies = [];
  let sent = 0;
  let running = connections;
  const start = performance.now();
  const end = seconds === undefined ? Number.POSITIVE_INFINITY : start + seconds * 1000;

  return new Promise((resolve) => {
    const open = () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let text = '';
      let sentAt = 0;
      const next = () => {
        if (sent === count || performance.now() >= end) {
          socket.destroy();
          running--;
          if (running === 0) resolve(report((performance.now() - start) / 1000, latencies));
          return;
        }
        sent++;
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on('connect', next);
      socket.on('error', (error) => fail(error.message));
      socket.on('end', () => fail('the connection was closed'));
      // latin1: one character for each byte.
      socket.on('data', (chunk) => {
        text += chunk.latin1Slice();
        const length = answerLength(text, statusLine);
        if (length === 0 || text.length < length) return;
        if (text.length > length) fail('more than one answer to a request');
        text = '';
        latencies.push(performance.now() - sentAt);
        next();
      });
    };
    for (let i = 0; i < connections; i++) open();
  });
}

function report(seconds, latencies) {
  latencies.sort((a, b) => a - b);
  const at = (share) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  const requests = latencies.length;
  return { requests, seconds, rate: requests / seconds, p50: at(0.5), p99: at(0.99) };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await measure(JSON.parse(line))));
}
