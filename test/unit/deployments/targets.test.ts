import { afterEach, beforeEach, expect, test } from 'vitest';
import { DeploymentTargets } from '../../../src/deployments/targets.js';
import type { FunctionRecord } from '../../../src/functions/types.js';
import { type House, openHouse } from '../functions/helpers.js';

let house: House;
let targets: DeploymentTargets;
beforeEach(async () => {
  house = openHouse();
  targets = new DeploymentTargets({
    deployments: house.deployments,
    artifacts: house.artifacts,
    server: () => ({ endpoint: 'http://x/v1', projectId: 'p', version: '1' }),
  });
  house.write('f/main.js', 'export default () => {};');
  await house.load();
});
afterEach(() => house.close());

const record = async (changes: Partial<FunctionRecord> = {}) => ({
  ...(await house.functions.get('f'))!,
  ...changes,
});

test('the active deployment, the same object until the function changes', async () => {
  const { deployment, code } = await house.active('f');
  const target = await targets.resolve((await house.functions.get('f'))!);
  expect(target).toMatchObject({
    functionId: 'f',
    deploymentId: deployment.id,
    codeDirectory: code,
    entrypoint: 'main.js',
    startFile: 'main.js',
    memoryMegabytes: 512,
    env: { APPWRITE_FUNCTION_DEPLOYMENT: deployment.id, APPWRITE_FUNCTION_API_ENDPOINT: 'http://x/v1' },
  });
  expect(await targets.resolve((await house.functions.get('f'))!)).toBe(target);
  await house.functions.update('f', { name: 'New' });
  const { env } = await targets.resolve((await house.functions.get('f'))!);
  expect(env.APPWRITE_FUNCTION_NAME).toBe('New');
});

test.each([
  [{ runtime: 'node-14.5', deploymentId: '' }, 'function_runtime_unsupported'],
  [{ deploymentId: '' }, 'deployment_not_found'],
  [{ deploymentId: 'gone' }, 'deployment_not_found'],
  [{ id: 'other' }, 'deployment_not_found'],
] as const)('%j: %s', async (changes, type) => {
  await expect(targets.resolve(await record(changes))).rejects.toMatchObject({ type });
});

test('a deployment that is not ready', async () => {
  const {
    deployment: { seq: _, ...deployment },
  } = await house.active('f');
  await house.deployments.create({ ...deployment, id: 'building', status: 'building' });
  await expect(targets.resolve(await record({ deploymentId: 'building' }))).rejects.toMatchObject({
    type: 'build_not_ready',
  });
});
