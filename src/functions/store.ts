import { eq, getTableColumns, inArray, sql } from 'drizzle-orm';
import type { Database } from '../db/client.js';
import type { Listing } from '../db/listing.js';
import type { ListQuery } from '../db/query.js';
import { functions } from '../db/schema.js';
import type { Writer } from '../db/writer.js';
import type { DeploymentRecord } from '../deployments/types.js';
import type { FunctionRecord } from './types.js';

/** Where `search` looks for words. Contract: management, create function. */
const SEARCHED = ['id', 'name', 'runtime'];

/** What a caller says of a new function; the rest follows from its deployments. */
export type NewFunction = Omit<
  FunctionRecord,
  | 'createdAt'
  | 'updatedAt'
  | 'live'
  | 'deploymentId'
  | 'deploymentCreatedAt'
  | 'latestDeploymentId'
  | 'latestDeploymentCreatedAt'
  | 'latestDeploymentStatus'
>;

/** Settings that can be changed. */
export type FunctionChanges = Partial<Omit<FunctionRecord, 'id' | 'createdAt' | 'updatedAt'>>;

export interface FunctionStoreDependencies {
  database: Pick<Database, 'orm'>;
  writer: Writer;
  listing: Pick<Listing, 'list'>;
}

/**
 * The functions of the database. Records are frozen, and `get` answers with the same object until the function
 * changes. This process alone changes functions.
 */
export class FunctionStore {
  readonly #orm: Database['orm'];
  readonly #writer: Writer;
  readonly #listing: Pick<Listing, 'list'>;
  readonly #known = new Map<string, FunctionRecord>();

  constructor({ database, writer, listing }: FunctionStoreDependencies) {
    this.#orm = database.orm;
    this.#writer = writer;
    this.#listing = listing;
  }

  async get(id: string): Promise<FunctionRecord | null> {
    const known = this.#known.get(id);
    if (known) return known;
    const record = this.#orm.select().from(functions).where(eq(functions.id, id)).get();
    if (!record) return null;
    this.#known.set(id, Object.freeze(record));
    return record;
  }

  /** All functions, in the order they were made. */
  async all(): Promise<FunctionRecord[]> {
    return this.#orm.select().from(functions).orderBy(sql`rowid`).all();
  }

  /** @throws ApiError as the listing does. */
  async list(query: ListQuery): Promise<{ total: number; functions: FunctionRecord[] }> {
    const { total, sequences } = await this.#listing.list({ scope: {}, query, searchColumns: SEARCHED });
    const rows = this.#orm
      .select({ sequence: sql<number>`rowid`, ...getTableColumns(functions) })
      .from(functions)
      .where(inArray(sql`rowid`, sequences))
      .all();
    const bySequence = new Map(rows.map(({ sequence, ...record }) => [sequence, record]));
    return { total, functions: sequences.flatMap((sequence) => bySequence.get(sequence) ?? []) };
  }

  async create(settings: NewFunction): Promise<void> {
    const now = Date.now();
    await this.#writer.write(() =>
      this.#orm
        .insert(functions)
        .values({ ...settings, createdAt: now, updatedAt: now })
        .run(),
    );
  }

  /** Does nothing when there is no such function. */
  async update(id: string, changes: FunctionChanges): Promise<void> {
    await this.#writer.write(() =>
      this.#orm
        .update(functions)
        .set({ ...changes, updatedAt: Date.now() })
        .where(eq(functions.id, id))
        .run(),
    );
    this.#known.delete(id);
  }

  /** Makes a deployment, which is the function's newest, the one that runs. */
  setActiveDeployment(
    deployment: Pick<DeploymentRecord, 'id' | 'functionId' | 'createdAt' | 'status'>,
  ): Promise<void> {
    return this.update(deployment.functionId, {
      live: true,
      deploymentId: deployment.id,
      deploymentCreatedAt: deployment.createdAt,
      latestDeploymentId: deployment.id,
      latestDeploymentCreatedAt: deployment.createdAt,
      latestDeploymentStatus: deployment.status,
    });
  }
}
