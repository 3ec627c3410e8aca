import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import { count, eq } from 'drizzle-orm';
import type { Database } from '../db/client.js';
import { apiKeys } from '../db/schema.js';
import type { Writer } from '../db/writer.js';
import { newId } from '../ids.js';

/** Keys that the command line deletes beside a running server stop working after this long at the latest, ms. */
const FRESH_MS = 1_000;
const SECRET_BYTES = 32;
const HASH_BYTES = 32;

/** What a key may do: everything this server has. */
const ALL_SCOPES: readonly string[] = Object.freeze([
  'functions.read',
  'functions.write',
  'executions.read',
  'executions.write',
]);

/** A key as it is shown; its secret is not kept. */
export interface KeyRecord {
  id: string;
  name: string;
  /** ms since 1970. */
  createdAt: number;
}

interface KnownKey {
  id: string;
  hash: Buffer;
}

export interface KeyStoreDependencies {
  database: Pick<Database, 'orm'>;
  writer: Writer;
  /** A key from the settings, valid as long as this process runs and never stored. */
  settingKey?: string | undefined;
}

/** The API keys: in the database as SHA-256 hashes only. */
export class KeyStore {
  readonly #orm: Database['orm'];
  readonly #writer: Writer;
  readonly #fixed: readonly KnownKey[];
  #known: readonly KnownKey[] = [];
  /** For the hash of a secret while it is looked for. */
  readonly #scratch = Buffer.alloc(HASH_BYTES);
  /** `performance.now()` of the last reading. */
  #readAt = Number.NEGATIVE_INFINITY;

  constructor({ database, writer, settingKey }: KeyStoreDependencies) {
    this.#orm = database.orm;
    this.#writer = writer;
    this.#fixed = settingKey === undefined ? [] : [{ id: 'API_KEY', hash: hashOf(settingKey) }];
  }

  /** Makes a key. Its secret is shown this once. */
  async create({ name }: { name: string }): Promise<{ id: string; secret: string }> {
    const id = newId();
    const secret = `standard_${randomBytes(SECRET_BYTES).toString('hex')}`;
    const hash = hashOf(secret).toString('hex');
    const createdAt = Date.now();
    await this.#writer.write(() => this.#orm.insert(apiKeys).values({ id, name, hash, createdAt }).run());
    return { id, secret };
  }

  /** The key with this secret, or null. Takes as long for any wrong secret. */
  async find(secret: string): Promise<{ id: string; scopes: readonly string[] } | null> {
    const hash = hashOf(secret, this.#scratch);
    if (performance.now() - this.#readAt > FRESH_MS) this.#read();
    let id = match(this.#known, hash);
    if (id === null) {
      // It may be newer than what was read.
      this.#read();
      id = match(this.#known, hash);
    }
    return id === null ? null : { id, scopes: ALL_SCOPES };
  }

  /** All keys of the database, the oldest first. */
  async list(): Promise<KeyRecord[]> {
    const { id, name, createdAt } = apiKeys;
    return this.#orm.select({ id, name, createdAt }).from(apiKeys).orderBy(createdAt, id).all();
  }

  /** Answers whether there was such a key. */
  async delete(id: string): Promise<boolean> {
    const { changes } = await this.#writer.write(() =>
      this.#orm.delete(apiKeys).where(eq(apiKeys.id, id)).run(),
    );
    this.#readAt = Number.NEGATIVE_INFINITY;
    return changes > 0;
  }

  /** How many keys the database has. */
  async count(): Promise<number> {
    return this.#orm.select({ count: count() }).from(apiKeys).get()?.count ?? 0;
  }

  #read(): void {
    const rows = this.#orm.select({ id: apiKeys.id, hash: apiKeys.hash }).from(apiKeys).all();
    this.#known = [...this.#fixed, ...rows.map(({ id, hash }) => ({ id, hash: Buffer.from(hash, 'hex') }))];
    this.#readAt = performance.now();
  }
}

/** By way of text, which is three times as fast as asking for a Buffer. */
function hashOf(secret: string, into = Buffer.alloc(HASH_BYTES)): Buffer {
  into.write(digest('sha256', secret, 'binary'), 'binary');
  return into;
}

/** Compares with every key, whichever it is, so that the time tells nothing. */
function match(keys: readonly KnownKey[], hash: Buffer): string | null {
  let found: string | null = null;
  for (const key of keys) {
    if (key.hash.length === hash.length && timingSafeEqual(key.hash, hash)) found = key.id;
  }
  return found;
}
