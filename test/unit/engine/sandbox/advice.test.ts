import { expect, test } from 'vitest';
import { whyBubblewrapFails } from '../../../../src/engine/sandbox/advice.js';

const nothing = { asRoot: false, blocked: [], closed: [] };
const noSettings = (): null => null;
const refused = 'bwrap: No permissions to create new namespace';

test('says what bubblewrap printed last', () => {
  expect(whyBubblewrapFails(`one\n${refused}\n`, nothing, noSettings)).toContain(`(${refused})`);
  expect(whyBubblewrapFails('', nothing, noSettings)).toContain('(it said nothing)');
});

test.each([
  ['kernel.unprivileged_userns_clone', '0', 'sysctl -w kernel.unprivileged_userns_clone=1'],
  [
    'kernel.apparmor_restrict_unprivileged_userns',
    '1',
    'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  ['user.max_user_namespaces', '0', 'sysctl -w user.max_user_namespaces=10000'],
])('names the kernel setting %s', (name, value, change) => {
  const read = (asked: string): string | null => (asked === name ? value : null);
  expect(whyBubblewrapFails(refused, nothing, read)).toContain(change);
  expect(whyBubblewrapFails(refused, nothing, () => '12')).not.toContain('sysctl');
});

test('names the version, the folder, the files, or the capabilities', () => {
  const advice = (output: string, changes: object): string =>
    whyBubblewrapFails(output, { ...nothing, ...changes }, noSettings);
  expect(advice('bwrap: Unknown option --size', {})).toContain('version 0.7.0');
  expect(advice(refused, { asRoot: true, blocked: ['/root'] })).toContain('chmod o+x /root');
  expect(advice(refused, { asRoot: true, closed: ['/app/dist'] })).toContain('chmod -R o+rX /app/dist');
  expect(advice('spawn EPERM', { asRoot: true })).toContain('capabilities');
});
