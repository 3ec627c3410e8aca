import type { FunctionStore } from '../functions/store.js';
import type { ArtifactStore } from './artifacts.js';
import type { DeploymentStore } from './store.js';

/** Deployments of a function of the folder that are kept; the active one always is. */
const KEPT = 5;

export interface CleanUpDependencies {
  functions: Pick<FunctionStore, 'all'>;
  deployments: DeploymentStore;
  artifacts: ArtifactStore;
}

/**
 * Deletes old deployments of the functions of the folder, and every artifact that no deployment names. To be called
 * at start, before there are runners. Answers how many of each it deleted.
 */
export async function cleanUpDeployments({
  functions,
  deployments,
  artifacts,
}: CleanUpDependencies): Promise<{ deployments: number; artifacts: number }> {
  let deleted = 0;
  for (const { id, origin, deploymentId } of await functions.all()) {
    if (origin !== 'folder') continue;
    const old = (await deployments.listForFunction(id)).slice(KEPT).filter((one) => one.id !== deploymentId);
    await deployments.delete(old.map((one) => one.id));
    deleted += old.length;
  }
  return { deployments: deleted, artifacts: await artifacts.sweep(await deployments.artifacts()) };
}
