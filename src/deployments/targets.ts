import type { Target } from '../engine/types.js';
import { ApiError } from '../errors.js';
import { runtimeEnvironment, type ServerFacts } from '../functions/environment.js';
import { isOffered } from '../functions/runtimes.js';
import { specificationOf } from '../functions/specifications.js';
import type { FunctionRecord } from '../functions/types.js';
import type { ArtifactStore } from './artifacts.js';
import type { DeploymentStore } from './store.js';

export interface TargetsDependencies {
  deployments: Pick<DeploymentStore, 'get'>;
  artifacts: Pick<ArtifactStore, 'path'>;
  /** Asked when a function first runs: the address is not known before the server listens. */
  server(): ServerFacts;
}

/** Finds what runs a function: its active deployment, as a runner is told of it. */
export class DeploymentTargets {
  readonly #deps: TargetsDependencies;
  /** By the record itself: the store of functions makes a new one when the function changes. */
  readonly #known = new WeakMap<FunctionRecord, Target>();

  constructor(deps: TargetsDependencies) {
    this.#deps = deps;
  }

  /**
   * The checks and their order are the contract's (management, who may do what).
   * @throws ApiError function_runtime_unsupported, deployment_not_found or build_not_ready.
   */
  async resolve(record: FunctionRecord): Promise<Target> {
    const known = this.#known.get(record);
    if (known) return known;
    const target = await this.#find(record);
    this.#known.set(record, target);
    return target;
  }

  async #find(record: FunctionRecord): Promise<Target> {
    const { deployments, artifacts, server } = this.#deps;
    if (!isOffered(record.runtime)) {
      throw new ApiError('function_runtime_unsupported', `Runtime "${record.runtime}" is not supported`);
    }
    const deployment = record.deploymentId === '' ? null : await deployments.get(record.deploymentId);
    if (!deployment || deployment.functionId !== record.id) {
      throw new ApiError(
        'deployment_not_found',
        'Deployment not found. Create a deployment before trying to execute a function',
      );
    }
    if (deployment.status !== 'ready') throw new ApiError('build_not_ready');
    return {
      functionId: record.id,
      deploymentId: deployment.id,
      codeDirectory: artifacts.path(deployment.artifact),
      entrypoint: deployment.entrypoint,
      startFile: deployment.startFile,
      env: runtimeEnvironment(record, deployment, server()),
      memoryMegabytes: specificationOf(record.runtimeSpecification).memoryMegabytes,
    };
  }
}
