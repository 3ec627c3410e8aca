import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBubblewrap, missing } from '../support/requirements.js';
import { makeWorld, openLevel, runInside, type World } from './world.js';

const ABSTRACT = `\0sandbox-test-${process.pid}`;

/** Answers, for each of the addresses, `connected` or the error's code. */
const connectAll = (addresses: object[]): string => `
  const net = require('node:net');
  Promise.all(${JSON.stringify(addresses)}.map((address) => new Promise((resolve) => {
    const socket = net.connect(address);
    socket.on('connect', () => { socket.destroy(); resolve('connected'); });
    socket.on('error', (error) => resolve(error.code));
  }))).then(answer);`;

describe.skipIf(missing('bubblewrap', hasBubblewrap()))('network: bubblewrap', () => {
  let world: World;
  let servers: Server[];
  let port: number;

  beforeAll(async () => {
    world = makeWorld();
    servers = [createServer(), createServer()];
    await new Promise<void>((resolve) => servers[0]!.listen(0, '0.0.0.0', resolve));
    await new Promise<void>((resolve) => servers[1]!.listen(ABSTRACT, resolve));
    port = (servers[0]!.address() as AddressInfo).port;
  });
  afterAll(() => {
    for (const server of servers) server.close();
    world.remove();
  });

  const addresses = (): object[] => {
    const own = Object.values(networkInterfaces())
      .flat()
      .filter((entry) => entry?.family === 'IPv4' && !entry.internal)
      .map((entry) => ({ host: entry!.address, port }));
    return [{ host: '127.0.0.1', port }, { path: ABSTRACT }, ...own];
  };

  test('none: reaches neither loopback, nor this machine’s addresses, nor abstract sockets', async () => {
    const level = await openLevel('bubblewrap', world);
    const answers = await runInside(level, connectAll([...addresses(), { host: '192.0.2.1', port: 80 }]), {
      codeDirectory: world.code,
    });
    const refused = expect.stringMatching(/^(ECONNREFUSED|ENETUNREACH)$/);
    expect(answers).toEqual([...addresses().map(() => refused), refused]);
  });

  test('none: has no interface but loopback', async () => {
    const level = await openLevel('bubblewrap', world);
    const names = await runInside(level, `answer(Object.keys(require('node:os').networkInterfaces()))`, {
      codeDirectory: world.code,
    });
    expect((names as string[]).filter((name) => name !== 'lo')).toEqual([]);
  });

  test('egress: has the network and what name resolution reads', async () => {
    const level = await openLevel('bubblewrap', world, 'egress');
    const program = `require('node:dns').lookup('localhost', (error, address) => {
      fetch('http://localhost:${port}/').then(() => 'answered', (error) => error.cause?.code).then((end) => answer([error?.code ?? null, end]));
    });`;
    const seen = new Promise<void>((resolve) =>
      servers[0]!.once('connection', (socket) => {
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        resolve();
      }),
    );
    expect(await runInside(level, program, { codeDirectory: world.code, network: 'egress' })).toEqual([
      null,
      'answered',
    ]);
    await seen;
  });
});
