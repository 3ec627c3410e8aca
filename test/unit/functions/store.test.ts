import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ListQuery } from '../../../src/db/query.js';
import type { NewFunction } from '../../../src/functions/store.js';
import { type House, openHouse } from './helpers.js';

const settings = (id: string, changes: Partial<NewFunction> = {}): NewFunction => ({
  id,
  name: `The ${id}`,
  runtime: 'node-20.0',
  execute: ['any'],
  events: [],
  schedule: '',
  timeout: 15,
  enabled: true,
  logging: true,
  entrypoint: 'main.js',
  commands: '',
  scopes: [],
  buildSpecification: 's-1vcpu-512mb',
  runtimeSpecification: 's-1vcpu-512mb',
  origin: 'api',
  ...changes,
});
const query: ListQuery = { filters: [], orders: [], limit: 25, offset: 0, total: true };

let house: House;
beforeEach(() => {
  house = openHouse();
});
afterEach(() => house.close());

test('gives what was put in, the same frozen object until it changes', async () => {
  const { functions } = house;
  expect(await functions.get('f')).toBeNull();
  await functions.create(settings('f'));
  const first = await functions.get('f');
  expect(first).toMatchObject({ ...settings('f'), live: true, deploymentId: '', deploymentCreatedAt: null });
  expect(Object.isFrozen(first)).toBe(true);
  expect(await functions.get('f')).toBe(first);

  await functions.update('f', { timeout: 60 });
  const second = await functions.get('f');
  expect(second).toMatchObject({ timeout: 60, name: 'The f' });
  expect(first?.timeout).toBe(15);
});

test('makes a deployment the active one', async () => {
  const { functions } = house;
  await functions.create(settings('f'));
  await functions.setActiveDeployment({ id: 'd', functionId: 'f', createdAt: 5, status: 'ready' });
  expect(await functions.get('f')).toMatchObject({
    deploymentId: 'd',
    deploymentCreatedAt: 5,
    latestDeploymentId: 'd',
    latestDeploymentCreatedAt: 5,
    latestDeploymentStatus: 'ready',
  });
});

test('lists in the order asked for, filtered and searched', async () => {
  const { functions } = house;
  for (const id of ['b', 'c', 'a']) await functions.create(settings(id, { timeout: id === 'c' ? 30 : 15 }));
  const ids = async (changes: Partial<ListQuery>) => {
    const page = await functions.list({ ...query, ...changes });
    return { total: page.total, ids: page.functions.map(({ id }) => id) };
  };
  expect(await ids({ orders: [{ attribute: '$id', direction: 'asc' }] })).toEqual({
    total: 3,
    ids: ['a', 'b', 'c'],
  });
  expect(
    await ids({ filters: [{ kind: 'compare', method: 'equal', attribute: 'timeout', values: [30] }] }),
  ).toEqual({ total: 1, ids: ['c'] });
  expect(await ids({ search: 'the a' })).toEqual({ total: 1, ids: ['a'] });
  expect((await functions.all()).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
});
