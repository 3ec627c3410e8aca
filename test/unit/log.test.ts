import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { compiledFile } from '../../src/compiled.js';

const LOG = compiledFile(new URL('../../src/server.ts', import.meta.url).href, './log.js');
const LINES = 3_000;

test('a log that is drained before the end is whole, however late its reader comes', async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createLogger, drainLog } from ${JSON.stringify(LOG)};
       const log = createLogger({ logLevel: 'info' });
       for (let i = 0; i < ${LINES}; i++) log.info({ i, text: 'ä'.repeat(100) }, 'line');
       log.info({ text: 'x'.repeat(200_000) }, 'long');
       process.stderr.write('written');
       await drainLog(log, 30_000);
       process.exit(0);`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  await once(child.stderr, 'data');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.slice(0, LINES).map(({ i }) => i)).toEqual(Array.from({ length: LINES }, (_, i) => i));
  expect(lines.slice(LINES)).toMatchObject([{ msg: 'long', text: 'x'.repeat(200_000) }]);
});
