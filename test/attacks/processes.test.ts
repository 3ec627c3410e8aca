import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Level } from '../../src/engine/sandbox/launch.js';
import { FIRST_UID } from '../../src/engine/sandbox/uid-pool.js';
import { descendants, listProcesses, waitUntilGone } from '../support/processes.js';
import { hasBubblewrap, missing } from '../support/requirements.js';
import { waitFor } from '../support/wait-for.js';
import {
  end,
  firstAnswer,
  type LevelName,
  makeWorld,
  openLevel,
  runInside,
  startInside,
  type World,
} from './world.js';

const asRoot = process.getuid?.() === 0;
const hasProc = existsSync('/proc/self/status');

/** A line of /proc/PID/status. */
function status(pid: number, key: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${key}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

for (const name of ['bubblewrap', 'process'] as LevelName[]) {
  describe.skipIf(name === 'bubblewrap' && missing('bubblewrap', hasBubblewrap()))(
    `processes: ${name}`,
    () => {
      let world: World;
      let level: Level;

      beforeAll(async () => {
        world = makeWorld(pooledRunner);
        level = await openLevel(name, world);
      });
      afterAll(() => world.remove());

      test('threads, Piscina and the inherited sockets work', async () => {
        const runner = level.launch({
          codeDirectory: world.code,
          network: 'none',
          threadChannels: 2,
          nodeArguments: [level.runnerMain],
        });
        try {
          const fromThread = new Promise((resolve) => {
            runner.child.stdio[4]!.once('data', (chunk: Buffer) => resolve(chunk.toString()));
          });
          const second = runner.child.stdio.at(5) as Duplex;
          second.write('ping');
          expect(await firstAnswer(runner)).toBe('pooled ping');
          expect(await fromThread).toBe('from the thread');
        } finally {
          await end(runner);
        }
      });

      test('leads a session of its own, so that a terminal’s Ctrl-C is not for it', async () => {
        const runner = startInside(level, `answer('up'); setInterval(() => {}, 1000);`, {
          codeDirectory: world.code,
        });
        try {
          expect(await firstAnswer(runner)).toBe('up');
          const pid = runner.child.pid!;
          expect(() => process.kill(-pid, 0)).not.toThrow();
        } finally {
          await end(runner);
        }
      });

      test.skipIf(!hasProc)('gets no descriptor of the server but its own', async () => {
        const canary = join(world.folder, 'open-file');
        writeFileSync(canary, 'canary');
        const descriptor = openSync(canary, 'r');
        // A server that was started with a descriptor far up, which Node does not close by itself.
        const program = `const names = Array.from({ length: 100 }, (_, number) => number);
          answer(names.map((number) => attempt(() => { const s = fs.fstatSync(number); return s.isFile() ? 'file' : s.isSocket() ? 'socket' : 'other'; })))`;
        const stdio: ('ignore' | 'pipe' | 'inherit' | number)[] = ['ignore', 'pipe', 'inherit'];
        while (stdio.length < 60) stdio.push('ignore');
        stdio.push(descriptor);
        const parent = await startParent(name, world, program, stdio);
        try {
          const kinds = (await parent.answer) as string[];
          expect(kinds.filter((kind) => kind === 'file')).toEqual([]);
          // Control and one thread: 3 and 4; the filter's is closed. Sockets further up would be the server's.
          expect(kinds.flatMap((kind, number) => (number > 2 && kind === 'socket' ? [number] : []))).toEqual([
            3, 4,
          ]);
          expect(kinds[60]).toBe(name === 'bubblewrap' ? 'error EBADF' : 'other');
        } finally {
          parent.child.kill('SIGKILL');
          closeSync(descriptor);
        }
      });

      test.skipIf(process.platform !== 'linux')('ends with the server, also by kill -9', async () => {
        const parent = await startParent(name, world, `answer('up'); for (;;) ;`);
        expect(await parent.answer).toBe('up');
        const started = descendants(parent.child.pid!);
        expect(started.length).toBeGreaterThan(0);
        parent.child.kill('SIGKILL');
        await waitUntilGone(started, world.folder);
      });
    },
  );
}

describe.skipIf(missing('bubblewrap', hasBubblewrap()))('processes: bubblewrap only', () => {
  let world: World;
  let level: Level;
  beforeAll(async () => {
    world = makeWorld();
    level = await openLevel('bubblewrap', world);
  });
  afterAll(() => world.remove());

  test('cannot see or signal a process of the machine', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await waitFor('the other process runs', () => listProcesses().some(({ pid }) => pid === other.pid));
      const program = `
        answer([attempt(() => process.kill(${other.pid}, 'SIGKILL')),
          attempt(() => fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length),
          process.pid])`;
      const [killed, visible, pid] = (await runInside(level, program, {
        codeDirectory: world.code,
      })) as unknown[];
      expect(killed).toBe('error ESRCH');
      expect([2, 'error ENOENT']).toContain(visible);
      expect(pid).toBe(2);
      expect(other.exitCode).toBeNull();
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('has no capabilities, no way to new privileges, and the filter', async () => {
    const runner = startInside(level, `answer('up'); setInterval(() => {}, 1000);`, {
      codeDirectory: world.code,
    });
    try {
      expect(await firstAnswer(runner)).toBe('up');
      const inside = descendants(runner.child.pid!);
      expect(inside.length).toBeGreaterThan(0);
      const node = inside.at(-1)!.pid;
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        expect([set, status(node, set)]).toEqual([set, '0000000000000000']);
      }
      expect(status(node, 'NoNewPrivs')).toBe('1');
      expect(status(node, 'Seccomp')).toBe('2');
    } finally {
      await end(runner);
    }
  });

  test.skipIf(!asRoot)('under root, every runner has a user of its own, also outside', async () => {
    const program = `answer(process.getuid()); setInterval(() => {}, 1000);`;
    const runners = [1, 2].map(() => startInside(level, program, { codeDirectory: world.code }));
    try {
      const users = [];
      for (const runner of runners) {
        expect(await firstAnswer(runner)).toBe(1000);
        const pids = [runner.child.pid!, ...descendants(runner.child.pid!).map(({ pid }) => pid)];
        const ids = pids.flatMap((pid) => [
          ...status(pid, 'Uid').split(/\s+/),
          ...status(pid, 'Gid').split(/\s+/),
        ]);
        expect(new Set(ids).size).toBe(1);
        expect(pids.map((pid) => status(pid, 'Groups'))).toEqual(pids.map(() => ''));
        users.push(Number(ids[0]));
      }
      expect(users[0]).toBeGreaterThanOrEqual(FIRST_UID);
      expect(users[1]).not.toBe(users[0]);
    } finally {
      for (const runner of runners) await end(runner);
    }
  });
});

/** A runner that does what the real one does: a pool, a thread on its own socket, the main thread on another. */
const pooledRunner = `
import { Socket } from 'node:net';
import { writeSync } from 'node:fs';
import { Piscina } from 'piscina';
if (!Piscina.isWorkerThread) {
  const pool = new Piscina({ filename: import.meta.url, maxThreads: 1, env: {} });
  const socket = new Socket({ fd: 5 });
  socket.once('data', async (chunk) => {
    writeSync(3, JSON.stringify((await pool.run(chunk.toString()))) + '\\n');
  });
}
export default async (text) => {
  const socket = new Socket({ fd: 4 });
  await new Promise((resolve) => socket.write('from the thread', resolve));
  return 'pooled ' + text;
};
`;

/** A process between this one and the runner: it opens the level itself, as a server does. */
async function startParent(
  name: LevelName,
  world: World,
  program: string,
  stdio: ('ignore' | 'pipe' | 'inherit' | number)[] = ['ignore', 'pipe', 'inherit'],
): Promise<{ child: ChildProcess; answer: Promise<unknown> }> {
  const file = join(world.folder, 'parent.mjs');
  const from = JSON.stringify(fileURLToPath(new URL('./world.ts', import.meta.url)));
  await build({
    stdin: {
      contents: `
        import { firstAnswer, openLevel, startInside } from ${from};
        const [name, world, program] = JSON.parse(process.argv[2]);
        const runner = startInside(await openLevel(name, world), program, { codeDirectory: world.code });
        const answer = await firstAnswer(runner);
        process.stdout.write(JSON.stringify(answer) + '\\n');
        setInterval(() => {}, 1000);`,
      resolveDir: world.folder,
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: file,
  });
  const child = spawn(process.execPath, [file, JSON.stringify([name, world, program])], {
    stdio,
    // What a killed server leaves behind goes with the world.
    env: { ...process.env, TMPDIR: world.folder },
  });
  const answer = new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(JSON.parse(text));
    });
    child.on('exit', () => reject(new Error('the parent ended before the runner answered')));
  });
  return { child, answer };
}
