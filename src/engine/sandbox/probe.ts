import type { Readable } from 'node:stream';
import type { RunnerSpec } from '../types.js';
import type { Level } from './launch.js';

/** A runner that boots takes a small part of this, also on a busy machine. */
const DEADLINE_MS = 15_000;
const MAX_OUTPUT_CHARACTERS = 2_000;

/** What the probe runs: reads what a runner has to read, writes where it has to write, and says so. */
const probeProgram = (runnerMain: string): string => `
  const fs = require('node:fs');
  fs.accessSync(${JSON.stringify(runnerMain)}, fs.constants.R_OK);
  fs.readdirSync(process.cwd());
  fs.writeFileSync(require('node:os').tmpdir() + '/probe', '');
  fs.writeSync(3, 'works');
`;

/**
 * Really starts a tiny program at a level and waits for its answer.
 * @throws Error that says what it printed instead.
 */
export async function probe(
  level: Level,
  spec: Pick<RunnerSpec, 'codeDirectory' | 'network'>,
): Promise<void> {
  const { child, release } = level.launch({
    ...spec,
    threadChannels: 1,
    nodeArguments: ['-e', probeProgram(level.runnerMain)],
  });
  let answer = '';
  let output = '';
  const control = child.stdio[3] as unknown as Readable;
  control.setEncoding('utf8').on('data', (text: string) => {
    answer = (answer + text).slice(0, MAX_OUTPUT_CHARACTERS);
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, MAX_OUTPUT_CHARACTERS);
    });
  }
  for (const stream of child.stdio.slice(3)) stream?.on('error', () => stream.destroy());
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, DEADLINE_MS);
  try {
    await new Promise<void>((resolve) => {
      child.on('error', () => resolve());
      child.on('close', () => resolve());
      // The other sockets would keep 'close' from coming.
      child.on('exit', () => {
        for (const stream of child.stdio.slice(4)) stream?.destroy();
      });
    });
  } finally {
    clearTimeout(timer);
    release();
  }
  if (answer === 'works') return;
  if (late) throw new Error(`it did not answer within ${DEADLINE_MS / 1000} s`);
  throw new Error(output.trim() || `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
}
