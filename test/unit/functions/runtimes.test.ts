import { Runtime } from 'node-appwrite';
import { expect, test } from 'vitest';
import type { DeploymentRecord } from '../../../src/deployments/types.js';
import { runtimeEnvironment } from '../../../src/functions/environment.js';
import { isOffered, listRuntimes, ownRuntime } from '../../../src/functions/runtimes.js';
import { specificationOf } from '../../../src/functions/specifications.js';
import type { FunctionRecord } from '../../../src/functions/types.js';

const major = process.versions.node.split('.')[0];

test('the own Node is offered, in both spellings, and nothing else', () => {
  expect(listRuntimes()).toEqual([ownRuntime]);
  expect(isOffered(ownRuntime.$id)).toBe(true);
  expect(isOffered(`node-${major}`)).toBe(true);
  expect(isOffered(`node-${major}.0`)).toBe(true);
  for (const id of [
    'node-14.5',
    'node-8.0',
    `node-${major}.1`,
    `node-${major}0`,
    'python-3.12',
    'node',
    '',
  ]) {
    expect(isOffered(id)).toBe(false);
  }
});

test('is spelled as the SDK spells it', () => {
  const known = Object.values(Runtime).filter((id) => id.startsWith('node-'));
  // An uneven or very new Node may be one that the SDK does not know yet.
  const isKnown = known.some((id) => id.split(/[-.]/)[1] === major);
  expect(known.includes(ownRuntime.$id as Runtime)).toBe(isKnown);
  expect(`${ownRuntime.key}-${ownRuntime.version}`).toBe(ownRuntime.$id);
});

test('specifications are what their names say', () => {
  expect(specificationOf('s-0.5vcpu-512mb')).toEqual({ cpus: 0.5, memoryMegabytes: 512 });
  expect(specificationOf('s-4vcpu-8gb')).toEqual({ cpus: 4, memoryMegabytes: 8192 });
  expect(specificationOf('gone')).toEqual({ cpus: 1, memoryMegabytes: 512 });
});

test('the environment has all variables of the contract', () => {
  const record = { id: 'f', name: 'Eff', runtimeSpecification: 's-2vcpu-2gb' } as FunctionRecord;
  const deployment = { id: 'd', type: 'manual' } as DeploymentRecord;
  const server = { endpoint: 'http://127.0.0.1:3000/v1', projectId: 'p', version: '1.2.3' };
  expect(runtimeEnvironment(record, deployment, server)).toEqual({
    APPWRITE_FUNCTION_API_ENDPOINT: 'http://127.0.0.1:3000/v1',
    APPWRITE_FUNCTION_ID: 'f',
    APPWRITE_FUNCTION_NAME: 'Eff',
    APPWRITE_FUNCTION_DEPLOYMENT: 'd',
    APPWRITE_FUNCTION_PROJECT_ID: 'p',
    APPWRITE_FUNCTION_RUNTIME_NAME: 'Node.js',
    APPWRITE_FUNCTION_RUNTIME_VERSION: ownRuntime.version,
    APPWRITE_FUNCTION_CPUS: '2',
    APPWRITE_FUNCTION_MEMORY: '2048',
    APPWRITE_VERSION: '1.2.3',
    APPWRITE_REGION: 'default',
    APPWRITE_DEPLOYMENT_TYPE: 'manual',
  });
});
