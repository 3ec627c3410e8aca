import { expect, test } from 'vitest';
import { discoverConfigured } from '../../../src/functions/folder/config-file.js';
import { ownRuntime } from '../../../src/functions/runtimes.js';

const FILE = '/somewhere/appwrite.config.json';
const MINIMAL = { $id: 'f', runtime: ownRuntime.$id, path: 'code' };
const discover = (...functions: unknown[]) => discoverConfigured(FILE, JSON.stringify({ functions }));

test('fills in what is not given', () => {
  const { ids, definitions, faults } = discover({ ...MINIMAL, entrypoint: '', timeout: null, unknown: true });
  expect(faults).toEqual([]);
  expect([...ids]).toEqual(['f']);
  expect(definitions).toEqual([
    {
      id: 'f',
      directory: '/somewhere/code',
      entrypoint: undefined,
      settings: {
        name: 'f',
        runtime: ownRuntime.$id,
        execute: [],
        events: [],
        schedule: '',
        timeout: 15,
        enabled: true,
        logging: true,
        commands: '',
        scopes: [],
        buildSpecification: 's-1vcpu-512mb',
        runtimeSpecification: 's-1vcpu-512mb',
      },
      warnings: [],
    },
  ]);
});

test('takes what is given', () => {
  const settings = {
    name: 'Eff',
    execute: ['any', 'users/verified', 'user:u1/unverified', 'team:t/owner', 'member:m', 'label:vip'],
    timeout: 900,
    enabled: false,
    logging: false,
    scopes: ['users.read'],
  };
  const { definitions } = discover({
    ...MINIMAL,
    ...settings,
    entrypoint: 'src/x.ts',
    specification: 's-2vcpu-2gb',
  });
  expect(definitions[0]).toMatchObject({
    entrypoint: 'src/x.ts',
    settings: { ...settings, buildSpecification: 's-2vcpu-2gb', runtimeSpecification: 's-2vcpu-2gb' },
  });
});

test('warns of what does not work yet', () => {
  const { definitions } = discover({
    ...MINIMAL,
    schedule: '* * * * *',
    events: ['users.*.create'],
    ignore: ['x'],
  });
  expect(definitions[0]?.warnings).toEqual([
    expect.stringContaining('schedule'),
    expect.stringContaining('events'),
    expect.stringContaining('ignore'),
  ]);
});

test.each([
  [{ $id: undefined }, '"$id" is missing'],
  [{ $id: 'a b' }, 'its id must be'],
  [{ $id: 7 }, '"$id" must be a string'],
  [{ path: undefined }, '"path" is missing'],
  [{ runtime: undefined }, '"runtime" is missing'],
  [{ runtime: 'python-3.12' }, `"python-3.12" is not offered here; this server offers ${ownRuntime.$id}`],
  [{ name: 'n'.repeat(129) }, '"name" must have at most 128'],
  [{ execute: 'any' }, '"execute" must be an array'],
  [{ execute: ['*'] }, 'Wildcard role "*" has been replaced. Use "any" instead.'],
  [{ execute: ['user'] }, 'Role "user" must have an ID value.'],
  [{ execute: ['any:x'] }, 'Role "any" can not have an ID value.'],
  [
    { execute: ['users/odd'] },
    'Role "users" dimension value is invalid. Must be one of: verified, unverified.',
  ],
  [
    { execute: ['nobody'] },
    'Role "nobody" is not allowed. Must be one of: any, guests, users, user, team, member, label.',
  ],
  [{ execute: Array(101).fill('any') }, '"execute" must be an array of at most 100'],
  [{ events: [1] }, '"events" must be an array'],
  [{ timeout: 901 }, '"timeout" must be a whole number from 1 to 900'],
  [{ timeout: '15' }, '"timeout" must be a whole number'],
  [{ enabled: 'yes' }, '"enabled" must be true or false'],
  [{ specification: 'huge' }, '"specification" must be one of: s-0.5vcpu-512mb,'],
  [{ commands: 'npm install' }, 'build commands are not supported yet'],
])('%j is a fault of that function alone', (change, message) => {
  const { definitions, faults } = discover({ ...MINIMAL, ...change }, { ...MINIMAL, $id: 'other' });
  expect(definitions.map(({ id }) => id)).toEqual(['other']);
  expect(faults).toHaveLength(1);
  expect(faults[0]?.message).toContain(message);
});

test('an id that comes twice, and entries that are no objects', () => {
  const { definitions, faults } = discover(MINIMAL, MINIMAL, null, 'f');
  expect(definitions).toHaveLength(1);
  expect(faults).toEqual([
    { id: 'f', message: expect.stringContaining('same $id') },
    { id: 'number 3', message: expect.stringContaining('object') },
    { id: 'number 4', message: expect.stringContaining('object') },
  ]);
});

test.each([
  ['{', 'is not JSON'],
  ['[]', 'must hold a JSON object'],
  ['{"functions": {}}', 'must be an array'],
])('the file %s is refused as a whole', (text, message) => {
  expect(() => discoverConfigured(FILE, text)).toThrow(message);
});
