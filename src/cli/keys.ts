import type { Config } from '../config.js';
import { dataFolderPaths } from '../data-folder.js';
import { attachDatabase } from '../db/attach.js';
import { Writer } from '../db/writer.js';
import { StartupError } from '../errors.js';
import { KeyStore } from '../keys/store.js';

/** Makes a key; the secret alone goes to stdout, for scripts. */
export async function createKey(config: Config, name: string): Promise<void> {
  const { id, secret } = await withKeys(config, (keys) => keys.create({ name }));
  process.stdout.write(`${secret}\n`);
  process.stderr.write(`API key ${id} (${name}). Its secret is not shown again.\n`);
}

export async function listKeys(config: Config): Promise<void> {
  for (const { id, name, createdAt } of await withKeys(config, (keys) => keys.list())) {
    process.stdout.write(`${id}  ${new Date(createdAt).toISOString()}  ${name}\n`);
  }
}

/** @throws StartupError when there is no such key. */
export async function deleteKey(config: Config, id: string): Promise<void> {
  if (await withKeys(config, (keys) => keys.delete(id))) return;
  throw new StartupError(`There is no API key ${JSON.stringify(id)}. \`keys list\` shows which there are.`);
}

async function withKeys<T>({ dataDir }: Config, work: (keys: KeyStore) => Promise<T>): Promise<T> {
  const database = attachDatabase(dataFolderPaths(dataDir).databaseFile);
  try {
    return await work(new KeyStore({ database, writer: new Writer(database.sqlite) }));
  } finally {
    database.close();
  }
}
