import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { explainListenError } from '../../../src/cli/listen-error.js';
import { StartupError } from '../../../src/errors.js';

/** What listening there really fails with. */
async function failure(host: string, port: number): Promise<unknown> {
  const [error] = await once(createServer().listen(port, host), 'error').catch((reason) => [reason]);
  return error;
}

test('a port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const error = explainListenError(await failure('127.0.0.1', port), { host: '127.0.0.1', port });
  taken.close();
  expect(error).toBeInstanceOf(StartupError);
  expect((error as Error).message).toMatch(new RegExp(`${port}.*another PORT`));
});

test('an address that is not this machine’s', async () => {
  const error = explainListenError(await failure('192.0.2.1', 0), { host: '192.0.2.1', port: 0 });
  expect((error as Error).message).toMatch(/192\.0\.2\.1.*Set HOST/);
});

test('any other error stays as it is', () => {
  const error = new Error('something else');
  expect(explainListenError(error, { host: 'x', port: 1 })).toBe(error);
});
