/** Starts and stops what is measured: each a process of its own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const API_KEY = 'key-of-the-bench';

/** Starts a Node script and waits for the address that `read` finds in a line of its output. */
async function start(script, env, read) {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const address = read(line);
      if (!address) return;
      // What comes after it is read and thrown away, at no cost to what is measured.
      lines.close();
      child.stdout.resume();
      resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, pid: child.pid, stop };
}

export function startPlainFastify() {
  return start(here('plain-fastify.mjs'), {}, (line) => (line.startsWith('http') ? line.trim() : undefined));
}

/** Our server with its default settings, on a new data folder, with the one function of bench/functions. */
export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), 'executions-server-bench-'));
  chmodSync(folder, 0o711);
  const env = { PORT: '0', API_KEY, DATA_DIR: join(folder, 'data'), FUNCTIONS_DIR: here('functions') };
  const server = await start(here('../dist/main.js'), env, (line) => {
    const entry = line.startsWith('{') ? JSON.parse(line) : {};
    return entry.msg === 'listening' ? entry.address : undefined;
  });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...server, stop };
}

/** Starts the load generator; see load.mjs. */
export function startLoad() {
  const child = spawn(process.execPath, [here('load.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const measure = async (options) => {
    child.stdin.write(`${JSON.stringify(options)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the load generator has ended');
    return JSON.parse(value);
  };
  return { measure, stop: () => child.stdin.end() };
}

/** Waits until a process has (nearly) nothing to do, so that no round pays for the one before it. */
export async function settle(pid, deadlineMs = 15_000) {
  const ticks = () => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11]) + Number(fields[12]);
    } catch {
      return 0; // No /proc here: the pause below has to do.
    }
  };
  const end = performance.now() + deadlineMs;
  let before = ticks();
  do {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = ticks();
    if (now - before <= 2) return;
    before = now;
  } while (performance.now() < end);
}
