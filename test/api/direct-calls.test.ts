import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ExecutionModel } from '../support/request.js';
import { startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const FUNCTIONS = {
  url: 'export default ({ req, res }) => res.json({ url: req.url, query: req.queryString });',
  early: "export default ({ res }) => res.text('not yet', 103);",
};

/** One request in HTTP/1.0, which needs no Host header, and the answer's body. */
async function ask(address: string, path: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  await once(socket, 'end');
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

test('a direct call without a Host gets the server\u2019s own, and a fragment never arrives', async () => {
  const server = await startServer({
    functions: FUNCTIONS,
    env: { PUBLIC_URL: 'http://functions.example.com' },
  });
  expect(JSON.parse(await ask(server.url, '/f/url/a?b=1#c'))).toEqual({
    url: 'http://functions.example.com/a?b=1',
    query: 'b=1',
  });
});

test('a status that can end no exchange is a bad answer of the function, not an error of the server', async () => {
  const server = await startServer({ functions: FUNCTIONS });
  const answer = await fetch(new URL('/f/early/', server.url));
  expect(answer.status).toBe(502);
  expect(answer.headers.get('x-appwrite-execution-id')).toMatch(/^[0-9a-f]{20}$/);
  expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('what waited for a function that is gone fails at the next start, and does not run', async () => {
  const server = await startServer({
    functions: {
      slow: "export default async ({ res, log }) => { log('ran'); await new Promise((r) => setTimeout(r, 3000)); return res.text(''); };",
      other: FUNCTIONS.url,
    },
    env: { THREADS_PER_RUNNER: '1' },
  });
  const accepted: string[] = [];
  for (let i = 0; i < 4; i++) accepted.push((await server.execute('slow', { async: true })).body.$id);
  await server.kill();
  rmSync(join(server.functionsDirectory, 'slow'), { recursive: true });
  await server.start();
  const get = async (id: string) =>
    (await server.request<ExecutionModel>('GET', `/v1/executions/${id}`)).body;
  await waitFor('all have ended', async () => {
    const records = await Promise.all(accepted.map(get));
    return records.every(({ status }) => status === 'failed');
  });
  expect((await get(accepted[3]!)).errors).toMatch(/was disabled before this execution could start/);
});

test('at level process the temporary folder is the runner\u2019s own, and can be written', async () => {
  const server = await startServer({
    functions: {
      temporary: `import { tmpdir } from 'node:os';
        import { writeFileSync, readFileSync } from 'node:fs';
        export default ({ res }) => {
          writeFileSync(tmpdir() + '/x', 'kept');
          return res.text(readFileSync(tmpdir() + '/x'));
        };`,
    },
    env: { SANDBOX: 'process' },
  });
  const { body } = await server.execute('temporary');
  expect(body).toMatchObject({ status: 'completed', responseBody: 'kept' });
});
