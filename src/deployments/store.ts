import { desc, eq, inArray } from 'drizzle-orm';
import type { Database } from '../db/client.js';
import { deployments } from '../db/schema.js';
import type { Writer } from '../db/writer.js';
import type { DeploymentRecord } from './types.js';

/** The deployments of the database. */
export class DeploymentStore {
  readonly #orm: Database['orm'];
  readonly #writer: Writer;

  constructor(database: Pick<Database, 'orm'>, writer: Writer) {
    this.#orm = database.orm;
    this.#writer = writer;
  }

  async get(id: string): Promise<DeploymentRecord | null> {
    return this.#orm.select().from(deployments).where(eq(deployments.id, id)).get() ?? null;
  }

  create(deployment: Omit<DeploymentRecord, 'seq'>): Promise<DeploymentRecord> {
    return this.#writer.write(() => this.#orm.insert(deployments).values(deployment).returning().get());
  }

  /** The deployments of a function, the newest first. */
  async listForFunction(functionId: string): Promise<DeploymentRecord[]> {
    return this.#orm
      .select()
      .from(deployments)
      .where(eq(deployments.functionId, functionId))
      .orderBy(desc(deployments.seq))
      .all();
  }

  /** Names of all artifacts that a deployment has. */
  async artifacts(): Promise<string[]> {
    const rows = this.#orm.select({ artifact: deployments.artifact }).from(deployments).all();
    return rows.map(({ artifact }) => artifact);
  }

  /** Deletes the records; the artifacts stay where they are. */
  async delete(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#writer.write(() =>
      this.#orm
        .delete(deployments)
        .where(inArray(deployments.id, [...ids]))
        .run(),
    );
  }
}
