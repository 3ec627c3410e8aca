import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBubblewrap } from '../../src/engine/sandbox/bubblewrap.js';
import type { Level } from '../../src/engine/sandbox/launch.js';
import { openProcessLevel } from '../../src/engine/sandbox/process.js';
import type { NetworkPolicy, StartedRunner } from '../../src/engine/types.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** An installed server with one deployment, in a temporary folder that everybody may pass. */
export interface World {
  folder: string;
  installRoot: string;
  dataDirectory: string;
  /** The deployment's folder. */
  code: string;
  remove(): void;
}

/** `runnerMain` is the text of the runner's start file. */
export function makeWorld(runnerMain = ''): World {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'attack-')));
  chmodSync(folder, 0o755);
  const installRoot = join(folder, 'server');
  const dataDirectory = join(folder, 'data');
  const code = join(dataDirectory, 'code');
  for (const path of ['dist/runner', 'dist/engine', 'node_modules/piscina']) {
    mkdirSync(join(installRoot, path), { recursive: true });
  }
  mkdirSync(code, { recursive: true });
  writeFileSync(join(code, 'main.js'), 'export default () => {};\n');
  writeFileSync(join(installRoot, 'package.json'), '{"type":"module"}');
  writeFileSync(join(installRoot, 'dist/runner/main.js'), runnerMain);
  writeFileSync(join(installRoot, 'dist/engine/channel.js'), 'export const CONTROL_DESCRIPTOR = 3;\n');
  for (const path of ['package.json', 'dist']) {
    const inPackage = `node_modules/piscina/${path}`;
    cpSync(join(repository, inPackage), join(installRoot, inPackage), { recursive: true });
  }
  return {
    folder,
    installRoot,
    dataDirectory,
    code,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type LevelName = 'bubblewrap' | 'process';

export function openLevel(name: LevelName, world: World, network: NetworkPolicy = 'none'): Promise<Level> {
  const { installRoot, dataDirectory } = world;
  const options = { installRoot, dataDirectory, network };
  return name === 'bubblewrap' ? openBubblewrap(options) : openProcessLevel(options);
}

export interface InsideOptions {
  codeDirectory: string;
  network?: NetworkPolicy;
  threadChannels?: number;
}

/** Starts `program` (a CommonJS text for `node -e`) inside. It has `attempt(f)` and `answer(value)`. */
export function startInside(level: Level, program: string, options: InsideOptions): StartedRunner {
  const { codeDirectory, network = 'none', threadChannels = 1 } = options;
  return level.launch({
    codeDirectory,
    network,
    threadChannels,
    nodeArguments: ['-e', `${helpers}\n${program}`],
  });
}

const helpers = `
  const fs = require('node:fs');
  const answer = (value) => { fs.writeSync(3, JSON.stringify(value) + '\\n'); };
  const attempt = (f) => { try { return f(); } catch (error) { return 'error ' + (error.code ?? error.message); } };
`;

/** Runs `program` inside and gives what it answered. Throws what it printed if it did not answer. */
export async function runInside(level: Level, program: string, options: InsideOptions): Promise<unknown> {
  const runner = startInside(level, program, options);
  try {
    return await firstAnswer(runner);
  } finally {
    await end(runner);
  }
}

/** The first line the runner sends on its control socket, parsed. */
export function firstAnswer({ child }: StartedRunner): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let printed = '';
    let sent = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    }
    child.stdio[3]!.on('data', (chunk: Buffer) => {
      sent += chunk.toString();
      if (sent.includes('\n')) resolve(JSON.parse(sent.slice(0, sent.indexOf('\n'))));
    });
    child.on('close', (code, signal) =>
      reject(new Error(`no answer; ${signal ?? `exit code ${code}`}: ${printed}`)),
    );
    child.on('exit', () => {
      for (const stream of child.stdio.slice(4)) stream?.destroy();
    });
  });
}

/** Ends a runner and everything in it. */
export async function end({ child, release }: StartedRunner): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
  for (const stream of child.stdio) stream?.destroy();
  release();
}
