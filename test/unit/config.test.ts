import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig, readEnvironment, settings, settingsTable } from '../../src/config.js';
import { StartupError } from '../../src/errors.js';

const KEY = 'sixteen-letters!';

describe('loadConfig', () => {
  test('fills in the defaults', () => {
    expect(loadConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: resolve('data'),
      functionsDir: resolve('functions'),
      apiKey: undefined,
      projectId: 'default',
      sandbox: 'auto',
      logLevel: 'info',
      publicUrl: undefined,
      trustProxy: false,
      executionRetentionDays: 30,
      egressDefault: 'none',
      maxRunners: 32,
      threadsPerRunner: 8,
      runnerIdleSeconds: 300,
      queueLimit: 1000,
      stopSeconds: 30,
    });
  });

  test('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  test.each([
    ['PORT', '0', 'port', 0],
    ['PORT', ' 65535 ', 'port', 65535],
    ['HOST', '::1', 'host', '::1'],
    ['DATA_DIR', '/var/lib/x', 'dataDir', '/var/lib/x'],
    ['API_KEY', KEY, 'apiKey', KEY],
    ['PROJECT_ID', 'a.b_c-D', 'projectId', 'a.b_c-D'],
    ['SANDBOX', 'bubblewrap', 'sandbox', 'bubblewrap'],
    ['LOG_LEVEL', 'DEBUG', 'logLevel', 'debug'],
    ['PUBLIC_URL', 'https://f.example.com:8443/base/', 'publicUrl', 'https://f.example.com:8443/base'],
    ['TRUST_PROXY', 'on', 'trustProxy', true],
    ['TRUST_PROXY', 'TRUE', 'trustProxy', true],
    ['TRUST_PROXY', '1', 'trustProxy', true],
    ['TRUST_PROXY', 'false', 'trustProxy', false],
    ['EXECUTION_RETENTION_DAYS', '0', 'executionRetentionDays', 0],
    ['EGRESS_DEFAULT', 'egress', 'egressDefault', 'egress'],
    ['STOP_SECONDS', '0', 'stopSeconds', 0],
    ['PORT', '', 'port', 3000],
    ['API_KEY', '', 'apiKey', undefined],
  ] as const)('%s=%j', (name, text, key, value) => {
    expect(loadConfig({ [name]: text })[key]).toBe(value);
  });

  test.each([
    ['PORT', '65536'],
    ['PORT', '3000.5'],
    ['PORT', '0x10'],
    ['HOST', 'http://localhost'],
    ['PROJECT_ID', '-x'],
    ['PROJECT_ID', 'x'.repeat(37)],
    ['SANDBOX', 'none'],
    ['LOG_LEVEL', 'loud'],
    ['PUBLIC_URL', 'ftp://example.com'],
    ['PUBLIC_URL', 'example.com'],
    ['PUBLIC_URL', 'https://example.com/?a=b'],
    ['PUBLIC_URL', 'https://me:pw@example.com'],
    ['TRUST_PROXY', 'maybe'],
    ['EXECUTION_RETENTION_DAYS', '-1'],
    ['EGRESS_DEFAULT', 'all'],
    ['MAX_RUNNERS', '0'],
    ['THREADS_PER_RUNNER', '65'],
    ['RUNNER_IDLE_SECONDS', '1e3'],
    ['QUEUE_LIMIT', '9999999999'],
    ['STOP_SECONDS', 'soon'],
  ])('%s=%s is refused with its name, what it got and what it takes', (name, text) => {
    const { message } = refusal({ [name]: text });
    expect(message).toContain(name);
    expect(message).toContain(JSON.stringify(text));
    expect(message).toMatch(/it takes \S/);
  });

  test.each(['short', 'with some spaces in it', 'ünïcödé-is-not-allowed'])(
    'the API key %j is refused and not shown',
    (key) => {
      const { message } = refusal({ API_KEY: key });
      expect(message).toMatch(/API_KEY.*16/);
      expect(message).not.toContain(key);
    },
  );

  test('names all bad settings at once', () => {
    const { message } = refusal({ PORT: 'x', SANDBOX: 'y', HOST: 'localhost' });
    expect(message.split('\n')).toHaveLength(2);
    expect(message).toMatch(/PORT[\s\S]*SANDBOX/);
  });
});

describe('readEnvironment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (text: string) => writeFileSync(join(folder, '.env'), text);

  test('without a file it is the environment', () => {
    expect(readEnvironment(folder)).toEqual({ ...process.env });
  });

  test('adds the lines of the file, and the environment wins', () => {
    write('# comment\nPATH=/nowhere\n\nexport MAX_RUNNERS=4\nAPI_KEY="two\nlines" # yes\nLOG_LEVEL=debug\n');
    const env = readEnvironment(folder);
    expect(env.PATH).toBe(process.env.PATH);
    expect(env).toMatchObject({ MAX_RUNNERS: '4', API_KEY: 'two\nlines', LOG_LEVEL: 'debug' });
    expect(process.env.MAX_RUNNERS).toBeUndefined();
  });

  test('a line that is none is refused with its number', () => {
    write('A="x\ny"\nPORT: 3000\n');
    expect(() => readEnvironment(folder)).toThrow(/\.env, line 3/);
  });

  test('a file that can’t be read is refused', () => {
    mkdirSync(join(folder, '.env'));
    expect(() => readEnvironment(folder)).toThrow(StartupError);
  });
});

test('the table in the README is the one of the settings', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table] = /<!-- settings:start -->\n([\s\S]*?)\n<!-- settings:end -->/.exec(readme) ?? [];
  // `npm run build && npm run docs:settings` writes it.
  expect(table).toBe(settingsTable());
  for (const { name } of settings) expect(table).toContain(`| \`${name}\` |`);
});

function refusal(env: Record<string, string>): StartupError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof StartupError) return error;
  }
  throw new Error('It was not refused.');
}
