import { type AddressInfo, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import { openDataFolder } from './data-folder.js';
import { openDatabase } from './db/client.js';
import { createListing } from './db/listing.js';
import { executionsTable, functionsTable } from './db/listing-tables.js';
import { Writer } from './db/writer.js';
import { FolderArtifacts } from './deployments/artifacts.js';
import { cleanUpDeployments } from './deployments/clean-up.js';
import { DeploymentStore } from './deployments/store.js';
import { DeploymentTargets } from './deployments/targets.js';
import { Dispatcher } from './engine/dispatcher.js';
import { chooseSandbox } from './engine/sandbox/index.js';
import type { Sandbox } from './engine/types.js';
import { Executions } from './executions/executions.js';
import { Journal } from './executions/journal.js';
import { Lifecycle } from './executions/lifecycle.js';
import { Retention } from './executions/retention.js';
import { SearchIndex } from './executions/search-index.js';
import { SearchStore } from './executions/search-store.js';
import { ExecutionStore } from './executions/store.js';
import { loadFunctionsFolder } from './functions/folder.js';
import { listRuntimes } from './functions/runtimes.js';
import { FunctionStore } from './functions/store.js';
import { buildApp } from './http/app.js';
import { KeyStore } from './keys/store.js';
import { Releasers } from './releasers.js';
import { serverVersion } from './version.js';

export interface RunningServer {
  /** Where it can be reached from this machine, e.g. `http://127.0.0.1:3000`. */
  address: string;
  /** The API key that was made at this start, if one was. */
  newKey: string | null;
  /** Stops accepting, lets running executions end within the budget, and closes everything. */
  stop(): Promise<void>;
}

/** What all parts of a server share. */
interface Ground {
  config: Config;
  log: Logger;
  releasers: Releasers;
}

/**
 * Starts a server: the data folder and its lock first, the socket last.
 * @throws StartupError, or what listening fails with; everything begun is undone then.
 */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const releasers = new Releasers();
  try {
    return await start({ config, log, releasers });
  } catch (error) {
    await releasers.run().catch((failed) => log.error({ error: failed }, 'could not clean up'));
    throw error;
  }
}

async function start(ground: Ground): Promise<RunningServer> {
  const { config, log, releasers } = ground;
  const records = await openRecords(ground);
  const sandbox = await openSandbox(ground);
  await loadFunctions(ground, records);

  let address = '';
  const version = serverVersion();
  const targets = new DeploymentTargets({
    deployments: records.deployments,
    artifacts: records.artifacts,
    server: () => ({ endpoint: `${config.publicUrl ?? address}/v1`, projectId: config.projectId, version }),
  });
  const executions = openExecutions(ground, records, sandbox, targets);
  await records.search.start();

  let stopping = false;
  const app = await buildApp({
    config,
    version,
    sandboxLevel: sandbox.level,
    log,
    keys: records.keys,
    functions: records.functions,
    runtimes: { list: listRuntimes },
    executions,
    stopping: () => stopping,
  });
  // Running executions end while the connections that wait for them stay open; then all is closed.
  releasers.add(async () => {
    stopping = true;
    const closed = app.close();
    await executions.stop(config.stopSeconds * 1_000);
    // A client that keeps its connection for later is not waited for.
    const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_CHECK_MS);
    const lingering = setTimeout(() => app.server.closeAllConnections(), LINGER_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(lingering);
  });
  const { interrupted, waiting } = await executions.prepare();
  address = await listen(app, config);
  await executions.recover(waiting);
  if (interrupted > 0)
    log.warn({ executions: interrupted }, 'executions were cut off by the last stop of the server');

  // Only once everything else has worked: a key that nobody was shown is lost.
  const newKey = await firstKey(config, records.keys);
  log.info({ address, sandbox: sandbox.level, version }, 'listening');
  return { address, newKey, stop: () => releasers.run() };
}

async function openRecords({ config, log, releasers }: Ground) {
  const folder = openDataFolder(config.dataDir);
  releasers.add(() => folder.release());
  const database = openDatabase(folder.databaseFile);
  releasers.add(() => database.close());
  const writer = new Writer(database.sqlite);
  const journal = await Journal.open(database, writer, {
    onSkipped: (seq, reason) =>
      log.error({ seq, reason }, 'what happened to an execution could not be written'),
    onLost: (error) => {
      // Nothing can be promised any more: the process ends, and the next start finds all that was.
      throw error;
    },
  });
  releasers.add(() => journal.close());
  const listings = {
    executions: createListing({ sqlite: database.sqlite, table: executionsTable }),
    functions: createListing({ sqlite: database.sqlite, table: functionsTable }),
  };
  releasers.add(async () => {
    await Promise.all([listings.executions.close(), listings.functions.close()]);
  });
  const search = new SearchIndex(new SearchStore(database, journal), (error) =>
    log.error({ error }, 'the search index could not be filled'),
  );
  const store = new ExecutionStore(database, journal);
  const retention = new Retention(store, config.executionRetentionDays, (error) =>
    log.error({ error }, 'old executions could not be deleted'),
  );
  releasers.add(() => search.stop());
  releasers.add(() => retention.stop());
  return {
    writer,
    store,
    search,
    retention,
    pages: listings.executions,
    keys: new KeyStore({ database, writer, settingKey: config.apiKey }),
    functions: new FunctionStore({ database, writer, listing: listings.functions }),
    deployments: new DeploymentStore(database, writer),
    artifacts: new FolderArtifacts(folder.artifactsDirectory),
  };
}

type Records = Awaited<ReturnType<typeof openRecords>>;

async function openSandbox({ config, log }: Ground): Promise<Sandbox> {
  const { sandbox, notes } = await chooseSandbox({
    wanted: config.sandbox,
    hostIsLoopback: isLoopback(config.host),
    dataDirectory: config.dataDir,
    network: config.egressDefault,
  });
  for (const note of notes) log.warn(note);
  return sandbox;
}

async function loadFunctions({ config, log }: Ground, records: Records): Promise<void> {
  await loadFunctionsFolder({
    directory: config.functionsDir,
    dataDirectory: config.dataDir,
    log,
    ...records,
  });
  const deleted = await cleanUpDeployments(records);
  if (deleted.deployments + deleted.artifacts > 0) log.info(deleted, 'old deployments were deleted');
}

function openExecutions(
  { config, log }: Ground,
  { store, functions, pages, retention }: Records,
  sandbox: Sandbox,
  targets: DeploymentTargets,
): Executions {
  const executions = new Executions(
    {
      store,
      lifecycle: new Lifecycle(store),
      functions,
      targets,
      page: (functionId, query, caller) =>
        pages.list({
          scope: {
            ...(functionId !== null && { functionId }),
            ...(caller.kind === 'guest' && { userId: null }),
          },
          query,
          searchColumns: caller.kind === 'key' ? ['id', 'path', 'logs', 'errors'] : ['id', 'path'],
        }),
      log: (level, message, details) => log[level](details, message),
    },
    (host) =>
      new Dispatcher(
        {
          sandbox,
          network: config.egressDefault,
          maxRunners: config.maxRunners,
          maxThreads: config.threadsPerRunner,
          idleMs: config.runnerIdleSeconds * 1_000,
          queueLimit: config.queueLimit,
        },
        host,
      ),
  );
  retention.start();
  return executions;
}

async function firstKey({ apiKey }: Config, keys: KeyStore): Promise<string | null> {
  if (apiKey !== undefined || (await keys.count()) > 0) return null;
  return (await keys.create({ name: 'first start' })).secret;
}

/** Listens, and answers where it can be reached from this machine. */
async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  await app.listen({ host, port });
  const bound = app.server.address() as AddressInfo;
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (isIPv6(host) ? `[${host}]` : host);
  return `http://${reachable}:${bound.port}`;
}

/** Answers that a client does not fetch do not hold up a stop for longer than this, ms. */
const LINGER_MS = 3_000;
const IDLE_CHECK_MS = 20;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
