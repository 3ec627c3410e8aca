import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { StartupError } from './errors.js';

export type SandboxSetting = 'auto' | 'bubblewrap' | 'user' | 'process';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** What the server was told. Each member comes from one environment variable: see `settings`. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** Absolute path. */
  readonly functionsDir: string;
  /** Undefined: keys are only those of the database. */
  readonly apiKey: string | undefined;
  readonly projectId: string;
  readonly sandbox: SandboxSetting;
  readonly logLevel: LogLevel;
  /** Without a trailing slash. */
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
  /** 0: for ever. */
  readonly executionRetentionDays: number;
  readonly egressDefault: 'none' | 'egress';
  readonly maxRunners: number;
  readonly threadsPerRunner: number;
  readonly runnerIdleSeconds: number;
  readonly queueLimit: number;
  readonly stopSeconds: number;
}

type Value = Config[keyof Config];

/** One setting: the variable it is read from and how. */
interface Setting<T extends Value = Value> {
  readonly name: string;
  /** As it would stand in the environment; undefined: without a default. */
  readonly default: string | undefined;
  /** What it takes, for messages and the README. */
  readonly takes: string;
  readonly description: string;
  /** Its value must not be shown. */
  readonly secret?: boolean;
  /** Undefined: not one of the values it takes. */
  parse(text: string): T | undefined;
}

const MINIMUM_KEY_LENGTH = 16;

/** All settings. A new one needs its line here and in `Config`, and `npm run docs:settings`. */
const table: { readonly [K in keyof Config]-?: Setting<Config[K]> } = {
  port: {
    name: 'PORT',
    default: '3000',
    description: 'Port to listen on; 0 takes a free one.',
    ...integer(0, 65_535),
  },
  host: {
    name: 'HOST',
    default: '127.0.0.1',
    takes: 'an IP address or a host name',
    description: 'Address to listen on; `0.0.0.0` is all of them.',
    parse: (text) => (/^[\w.:%-]+$/.test(text) ? text : undefined),
  },
  dataDir: {
    name: 'DATA_DIR',
    default: './data',
    description: 'Folder of the database and of the code that was loaded; made if it is not there.',
    ...folder(),
  },
  functionsDir: {
    name: 'FUNCTIONS_DIR',
    default: './functions',
    description: 'Folder that functions are loaded from at every start.',
    ...folder(),
  },
  apiKey: {
    name: 'API_KEY',
    default: undefined,
    takes: `at least ${MINIMUM_KEY_LENGTH} letters, digits and punctuation marks without spaces`,
    description: 'An API key besides those of `keys create`; without either, the first start makes one.',
    secret: true,
    parse: (text) =>
      text.length >= MINIMUM_KEY_LENGTH && /^[\x21-\x7e]{1,4096}$/.test(text) ? text : undefined,
  },
  projectId: {
    name: 'PROJECT_ID',
    default: 'default',
    takes: '1 to 36 of the characters A-Z a-z 0-9 . _ -, the first a letter or digit',
    description: 'The project that clients may name in `X-Appwrite-Project`.',
    parse: (text) => (/^[A-Za-z0-9][\w.-]{0,35}$/.test(text) ? text : undefined),
  },
  sandbox: {
    name: 'SANDBOX',
    default: 'auto',
    description:
      'Walls around the processes that functions run in; `auto` takes the strongest that works here.',
    ...choice('auto', 'bubblewrap', 'user', 'process'),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    default: 'info',
    description: 'How much is logged.',
    ...choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    default: undefined,
    takes: 'an http or https URL such as https://functions.example.com',
    description: 'Where clients and functions reach this server, if that is not the address it listens on.',
    parse: baseUrl,
  },
  trustProxy: {
    name: 'TRUST_PROXY',
    default: 'off',
    takes: '`on` or `off` (also true, false, 1, 0)',
    description:
      "Believe `X-Forwarded-For` and the like of the nearest reverse proxy: the last address in it. When off, a client's address is that of the proxy; switch it on only if nobody gets round the proxy.",
    parse: onOrOff,
  },
  executionRetentionDays: {
    name: 'EXECUTION_RETENTION_DAYS',
    default: '30',
    description: 'Older executions are deleted; 0 keeps them for ever.',
    ...integer(0, 36_500),
  },
  egressDefault: {
    name: 'EGRESS_DEFAULT',
    default: 'none',
    description: 'Network of functions: none at all, or out of the machine.',
    ...choice('none', 'egress'),
  },
  maxRunners: {
    name: 'MAX_RUNNERS',
    default: '32',
    description: 'Runner processes at the same time.',
    ...integer(1, 1_000),
  },
  threadsPerRunner: {
    name: 'THREADS_PER_RUNNER',
    default: '8',
    description: 'Executions of one function at the same time.',
    ...integer(1, 64),
  },
  runnerIdleSeconds: {
    name: 'RUNNER_IDLE_SECONDS',
    default: '300',
    description: 'A runner with nothing to do is ended after this long.',
    ...integer(1, 86_400),
  },
  queueLimit: {
    name: 'QUEUE_LIMIT',
    default: '1000',
    description: 'Sync executions of one function that may wait; more are answered with 503.',
    ...integer(1, 1_000_000),
  },
  stopSeconds: {
    name: 'STOP_SECONDS',
    default: '30',
    description: 'How long a stop lets running executions go on.',
    ...integer(0, 3_600),
  },
};

/** All settings in the order of the README's table. */
export const settings: readonly Readonly<Omit<Setting, 'parse'>>[] = Object.values(table);

/**
 * Checks the environment and fills in defaults; an empty variable counts as unset.
 * @throws StartupError naming every bad setting, what it got and what it takes.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const config: Record<string, Value> = {};
  const faults: string[] = [];
  for (const [key, setting] of Object.entries(table) as [string, Setting][]) {
    const text = env[setting.name] || setting.default;
    if (text === undefined) {
      config[key] = undefined;
      continue;
    }
    const value = setting.parse(text.trim());
    if (value !== undefined) config[key] = value;
    else faults.push(faultOf(setting, text));
  }
  if (faults.length > 0) throw new StartupError(faults.join('\n'));
  return Object.freeze(config) as unknown as Config;
}

/**
 * The environment of this process over the lines of a `.env` file in `directory`, if there is one.
 * @throws StartupError when the file can't be read or a line of it is no `NAME=value`.
 */
export function readEnvironment(directory = process.cwd()): Record<string, string | undefined> {
  const file = resolve(directory, '.env');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...process.env };
    throw new StartupError(
      `${file} can't be read: ${(error as Error).message}. Make it readable or move it away.`,
    );
  }
  checkEnvLines(file, text);
  return { ...parseEnv(text), ...process.env };
}

/** The rows of the README's table of settings. */
export function settingsTable(): string {
  const rows = settings.map(({ name, default: value, takes, description }) =>
    [`\`${name}\``, value === undefined ? 'unset' : `\`${value}\``, takes, description]
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  const lines = ['setting | default | takes | what it is', '--- | --- | --- | ---', ...rows];
  return lines.map((line) => `| ${line} |`).join('\n');
}

function faultOf({ name, takes, secret }: Setting, text: string): string {
  const got = secret ? 'what it got (not shown here)' : JSON.stringify(text);
  return `${name} can't be ${got}: it takes ${takes.replaceAll('`', '')}.`;
}

/** Node's own parser skips what it does not understand, and a mistyped setting would be lost without a word. */
function checkEnvLines(file: string, text: string): void {
  // A value in quotes may hold anything, line ends too: only these are left of it, for the numbers of the lines.
  const quoted = /(=[ \t]*)(["'`])[\s\S]*?\2/g;
  const bare = text.replace(quoted, (all, equals: string) => equals + all.replace(/[^\n]/g, ''));
  for (const [index, line] of bare.split('\n').entries()) {
    if (line.trim() !== '' && !/^\s*(#|(export\s+)?[A-Za-z_][\w.-]*\s*=)/.test(line)) {
      throw new StartupError(`${file}, line ${index + 1}: expected NAME=value. Correct or remove that line.`);
    }
  }
}

function integer(min: number, max: number): Pick<Setting<number>, 'takes' | 'parse'> {
  return {
    takes: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function choice<const T extends string>(...values: T[]): Pick<Setting<T>, 'takes' | 'parse'> {
  return {
    takes: `one of ${values.map((value) => `\`${value}\``).join(', ')}`,
    parse: (text) => values.find((value) => value === text.toLowerCase()),
  };
}

function folder(): Pick<Setting<string>, 'takes' | 'parse'> {
  return {
    takes: 'a path, from the folder the server is started in if it is not absolute',
    parse: (text) => (text.includes('\0') ? undefined : resolve(text)),
  };
}

function onOrOff(text: string): boolean | undefined {
  if (/^(on|true|1)$/i.test(text)) return true;
  return /^(off|false|0)$/i.test(text) ? false : undefined;
}

function baseUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^\s?#@]+$/i.test(text) || !URL.canParse(text)) return undefined;
  return text.replace(/\/+$/, '');
}
