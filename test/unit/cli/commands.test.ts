import { expect, test } from 'vitest';
import { parseCommand, UsageError } from '../../../src/cli/commands.js';

test.each([
  [[], { name: 'serve' }],
  [['serve'], { name: 'serve' }],
  [['keys', 'create'], { name: 'keys create', keyName: 'key' }],
  [['keys', 'create', '--name', 'ci'], { name: 'keys create', keyName: 'ci' }],
  [['keys', 'list'], { name: 'keys list' }],
  [['keys', 'delete', 'abc'], { name: 'keys delete', id: 'abc' }],
  [['backup', '/x/y'], { name: 'backup', file: '/x/y' }],
  [['version'], { name: 'version' }],
  [['--version'], { name: 'version' }],
  [['help'], { name: 'help' }],
  [['keys', '-h'], { name: 'help' }],
])('%j', (args, command) => {
  expect(parseCommand(args)).toEqual(command);
});

test.each([
  [['sevre'], /no command "sevre"/],
  [['keys'], /one of: create, list, delete/],
  [['keys', 'make'], /no command "keys make"/],
  [['keys', 'delete'], /needs the ID/],
  [['keys', 'list', 'x'], /takes no "x"/],
  [['serve', '--name', 'x'], /serve takes no --name/],
  [['backup'], /needs the name of the file/],
  [['backup', ''], /needs the name of the file/],
  [['backup', 'a', 'b'], /takes no "b"/],
  [['--port', '1'], /--port/],
])('%j is refused', (args, message) => {
  expect(() => parseCommand(args)).toThrow(UsageError);
  expect(() => parseCommand(args)).toThrow(message);
});
