import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  | { name: 'serve' }
  | { name: 'keys create'; keyName: string }
  | { name: 'keys list' }
  | { name: 'keys delete'; id: string }
  | { name: 'backup'; file: string }
  | { name: 'version' }
  | { name: 'help' };

/** A command line that makes no sense; the message says what does. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const HELP = `Usage: executions-server [command]

  serve                     start the server (the default)
  keys create [--name N]    make an API key and print its secret, this once
  keys list                 list the API keys
  keys delete ID            delete an API key; it stops working within a second
  backup FILE               write a copy of the database to a new file
  version                   print the version
  help                      print this

keys and backup work beside a running server. Settings are environment variables
(or lines of a .env file): PORT, HOST, DATA_DIR, FUNCTIONS_DIR, API_KEY and more,
all in the README.
`;

/**
 * Reads the arguments after the program's name.
 * @throws UsageError
 */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help) return { name: 'help' };
  if (values.version) return { name: 'version' };
  const [first = 'serve', ...rest] = positionals;
  const name = first === 'keys' ? `keys ${rest.shift() ?? ''}`.trim() : first;
  if (values.name !== undefined && name !== 'keys create') {
    throw new UsageError(`${name} takes no --name.`);
  }
  const operand = (what: string): string => {
    const value = rest.shift();
    if (value === undefined || value === '') throw new UsageError(`${name} needs ${what}.`);
    return value;
  };
  const command = commandOf(name, operand, values.name);
  if (rest.length > 0) throw new UsageError(`${name} takes no ${JSON.stringify(rest[0])}.`);
  return command;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function commandOf(name: string, operand: (what: string) => string, keyName = 'key'): Command {
  switch (name) {
    case 'serve':
    case 'version':
    case 'help':
    case 'keys list':
      return { name };
    case 'keys create':
      return { name, keyName };
    case 'keys delete':
      return { name, id: operand('the ID of a key, as `keys list` shows it') };
    case 'backup':
      return { name, file: operand('the name of the file to write') };
    case 'keys':
      throw new UsageError('keys needs one of: create, list, delete.');
    default:
      throw new UsageError(`There is no command ${JSON.stringify(name)}.`);
  }
}
