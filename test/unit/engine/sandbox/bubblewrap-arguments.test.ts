import { expect, test } from 'vitest';
import {
  bubblewrapArguments,
  CODE_DIRECTORY,
  foldersToMask,
  type SandboxPlan,
  systemLayout,
  TMP_BYTES,
} from '../../../../src/engine/sandbox/bubblewrap-arguments.js';

const plan: SandboxPlan = {
  node: '/usr/bin/node',
  nodeArguments: ['/opt/runner/dist/runner/main.js'],
  network: 'none',
  ownProc: true,
  mounts: [{ source: '/data/code', target: CODE_DIRECTORY }],
  layout: ['--symlink', 'usr/lib', '/lib'],
  masked: [],
  filterDescriptor: 9,
  closed: [],
};

const text = (changes: Partial<SandboxPlan> = {}): string =>
  bubblewrapArguments({ ...plan, ...changes }).join(' ');

test('every namespace is its own and everything is dropped', () => {
  for (const option of [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--unshare-net',
    '--cap-drop ALL',
    '--new-session',
    '--die-with-parent',
    '--clearenv',
    '--seccomp 9',
    `--size ${TMP_BYTES} --perms 0700 --tmpfs /tmp`,
    `--ro-bind /data/code ${CODE_DIRECTORY}`,
  ]) {
    expect(text()).toContain(option);
  }
});

test('nothing of the machine is bound writable, and its /proc not at all', () => {
  expect(bubblewrapArguments(plan)).not.toContain('--bind');
  expect(text({ ownProc: true })).toContain('--proc /proc');
  expect(text({ ownProc: false })).not.toContain('/proc');
});

test('the root is made read-only after the last mount', () => {
  const args = bubblewrapArguments(plan);
  const last = Math.max(
    args.lastIndexOf('--ro-bind'),
    args.lastIndexOf('--tmpfs'),
    args.lastIndexOf('--proc'),
  );
  expect(text()).toContain('--remount-ro / --chdir');
  expect(args.lastIndexOf('--remount-ro')).toBeGreaterThan(last);
});

test('the network is shared under egress only', () => {
  expect(text({ network: 'egress' })).not.toContain('--unshare-net');
});

test('the program is last, behind what ends the options', () => {
  const args = bubblewrapArguments(plan);
  expect(args.slice(args.indexOf('--'))).toEqual(['--', '/usr/bin/node', '/opt/runner/dist/runner/main.js']);
});

test('inherited descriptors are closed and folders are covered', () => {
  expect(text({ closed: [60, 61] })).toMatch(/^--args 60 --args 61 /);
  expect(text({ masked: ['/usr/src'] })).toContain(
    '--ro-bind /usr /usr --symlink usr/lib /lib --tmpfs /usr/src',
  );
});

test('what is needed below /usr is not covered, what lies within a covered folder not twice', () => {
  expect(
    foldersToMask(['/usr', '/usr/bin', '/usr/lib', '/', '/tmp', '/no/such/folder'], '/usr/bin/node'),
  ).toEqual([]);
  expect(foldersToMask(['/usr/share/doc', '/usr/share', '/usr/share/doc'], '/usr/bin/node')).toEqual([
    '/usr/share/doc',
  ]);
});

test.skipIf(process.platform !== 'linux')('the layout of this machine names folders at the root only', () => {
  const layout = systemLayout();
  expect(layout.length % 3).toBe(0);
  for (let index = 0; index < layout.length; index += 3) {
    expect(['--symlink', '--ro-bind']).toContain(layout[index]);
    expect(layout[index + 2]).toMatch(/^\/(s?bin|lib\w*)$/);
  }
});
