/**
 * What an execution costs, beside plain Fastify on the same machine in the same run.
 *
 *     npm run build && npm run bench [-- --rounds 5 --seconds 5 --burst 20000]
 *
 * Each round measures, one after the other:
 *   plain  POST → JSON on Fastify alone
 *   sync   a warm execution through our server: two durable writes, the function in its sandbox, its answer
 *   async  a burst of accepted executions while the runners work: accepts a second, and the time until all have ended
 * All at 32 connections, from one load generator in a process of its own, which is warm as well. The figures are
 * medians over the rounds.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { API_KEY, settle, startLoad, startPlainFastify, startServer } from './processes.mjs';

const CONNECTIONS = 32;
const FUNCTION = 'trivial';
const ENDED_DEADLINE_MS = 300_000;
const PAYLOAD = { name: 'bench', values: [1, 2, 3] };

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    burst: { type: 'string', default: '20000' },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const burst = Number(flags.burst);

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const headers = { 'x-appwrite-key': API_KEY };
const executionBody = (async) => JSON.stringify({ body: JSON.stringify(PAYLOAD), async, method: 'POST' });

function plainLoad(plain, extent) {
  const body = JSON.stringify(PAYLOAD);
  return load.measure({
    url: plain.url,
    headers: {},
    body,
    status: 201,
    connections: CONNECTIONS,
    ...extent,
  });
}

function executionLoad(server, async, extent) {
  const url = `${server.url}/v1/functions/${FUNCTION}/executions`;
  const status = async ? 202 : 201;
  return load.measure({
    url,
    headers,
    body: executionBody(async),
    status,
    connections: CONNECTIONS,
    ...extent,
  });
}

/** How many executions (at most 5,000 are counted) have one of these statuses. */
async function countWith(server, statuses) {
  const queries = [
    { method: 'equal', attribute: 'status', values: statuses },
    { method: 'limit', values: [1] },
  ].map((query) => `queries[]=${encodeURIComponent(JSON.stringify(query))}`);
  const url = `${server.url}/v1/functions/${FUNCTION}/executions?${queries.join('&')}`;
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).total;
}

/** Waits until nothing waits or runs any more. */
async function allEnded(server) {
  const end = performance.now() + ENDED_DEADLINE_MS;
  while ((await countWith(server, ['waiting'])) + (await countWith(server, ['processing'])) > 0) {
    if (performance.now() > end) throw new Error('the accepted executions do not end');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function asyncBurst(server) {
  const start = performance.now();
  const accepts = await executionLoad(server, true, { count: burst });
  await allEnded(server);
  return { ...accepts, endedSeconds: (performance.now() - start) / 1000 };
}

async function measure(plain, server) {
  // So that code is compiled and the runner warm.
  await plainLoad(plain, { seconds: 1 });
  await executionLoad(server, false, { seconds: 2 });
  await executionLoad(server, true, { count: 500 });
  await allEnded(server);

  const results = { plain: [], sync: [], async: [] };
  for (let round = 1; round <= rounds; round++) {
    await settle(server.pid);
    results.plain.push(await plainLoad(plain, { seconds }));
    results.sync.push(await executionLoad(server, false, { seconds }));
    await settle(server.pid);
    results.async.push(await asyncBurst(server));
    const line = Object.entries(results).map(([name, list]) => `${name} ${Math.round(list.at(-1).rate)}/s`);
    console.log(
      `round ${round}: ${line.join(', ')}, all ended after ${results.async.at(-1).endedSeconds.toFixed(2)} s`,
    );
  }
  if ((await countWith(server, ['failed'])) > 0) throw new Error('some executions have failed');
  return results;
}

function report(results, health) {
  const rate = (name) => median(results[name].map((result) => result.rate));
  const of = (name, key) => median(results[name].map((result) => result[key]));
  const summary = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    health,
    rounds,
    connections: CONNECTIONS,
    plainPerSecond: Math.round(rate('plain')),
    syncPerSecond: Math.round(rate('sync')),
    syncP50Ms: of('sync', 'p50'),
    syncP99Ms: of('sync', 'p99'),
    acceptsPerSecond: Math.round(rate('async')),
    burst,
    allEndedSeconds: Number(of('async', 'endedSeconds').toFixed(2)),
    syncToPlain: Number((rate('sync') / rate('plain')).toFixed(3)),
    acceptToPlain: Number((rate('async') / rate('plain')).toFixed(3)),
  };
  console.log(`
plain Fastify POST → JSON    ${summary.plainPerSecond}/s
sync execution, warm         ${summary.syncPerSecond}/s   ${summary.syncToPlain} of plain
async accept, ${burst} at once ${summary.acceptsPerSecond}/s   ${summary.acceptToPlain} of plain
  until all have ended       ${summary.allEndedSeconds} s
`);
  console.log(JSON.stringify(summary));
}

const load = startLoad();
const plain = await startPlainFastify();
try {
  const server = await startServer();
  try {
    const health = await (await fetch(`${server.url}/v1/health`, { headers })).json();
    report(await measure(plain, server), health);
  } finally {
    await server.stop();
  }
} finally {
  await plain.stop();
  load.stop();
}
