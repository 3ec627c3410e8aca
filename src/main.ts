#!/usr/bin/env node
import { backup } from './cli/backup.js';
import { type Command, HELP, parseCommand, UsageError } from './cli/commands.js';
import { createKey, deleteKey, listKeys } from './cli/keys.js';
import { type Config, loadConfig, readEnvironment } from './config.js';
import { StartupError } from './errors.js';
import { serverVersion } from './version.js';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

async function run(command: Command): Promise<void> {
  const config = (): Config => loadConfig(readEnvironment());
  switch (command.name) {
    case 'serve': {
      // Only this one needs the server itself.
      const { serve } = await import('./cli/serve.js');
      return serve(config());
    }
    case 'keys create':
      return createKey(config(), command.keyName);
    case 'keys list':
      return listKeys(config());
    case 'keys delete':
      return deleteKey(config(), command.id);
    case 'backup':
      return backup(config(), command.file);
    case 'version':
      process.stdout.write(`${serverVersion()}\n`);
      return;
    case 'help':
      process.stdout.write(HELP);
  }
}

/** Says what went wrong on stderr and ends the process: what the user can change without a stack. */
function fail(error: unknown): never {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${HELP}`);
    process.exit(EXIT_USAGE);
  }
  const text = error instanceof StartupError ? error.message : error instanceof Error ? error.stack : error;
  process.stderr.write(`${text}\n`);
  process.exit(EXIT_FAILURE);
}

try {
  await run(parseCommand(process.argv.slice(2)));
} catch (error) {
  fail(error);
}
