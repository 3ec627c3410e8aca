/** A runtime that functions can be written for. Contract: management, models. */
export interface Runtime {
  /** `key-version`, as Appwrite spells it. */
  $id: string;
  key: string;
  name: string;
  version: string;
  base: string;
  image: string;
  logo: string;
  /** Processor architectures. */
  supports: string[];
}

/** From here on Appwrite's ids name the major version alone: `node-21.0`, but `node-22`. */
const FIRST_PLAIN_MAJOR = 22;

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86', arm64: 'arm64', arm: 'armv7' };

const ownMajor = Number(process.versions.node.split('.')[0]);

/** The runtime that functions run on: this server's own Node. */
export const ownRuntime: Readonly<Runtime> = describe(ownMajor);

/** What `GET /functions/runtimes` lists. */
export function listRuntimes(): Runtime[] {
  return [structuredClone(ownRuntime)];
}

/** Whether functions of this runtime can run here; `node-22` and `node-22.0` are the same. Contract: management, 0. */
export function isOffered(runtimeId: string): boolean {
  const match = /^node-(\d{1,3})(?:\.0)?$/.exec(runtimeId);
  return match !== null && Number(match[1]) === ownMajor;
}

function describe(major: number): Runtime {
  const version = major < FIRST_PLAIN_MAJOR ? `${major}.0` : String(major);
  return {
    $id: `node-${version}`,
    key: 'node',
    name: 'Node.js',
    version,
    base: `node:${version}-alpine`,
    image: `openruntimes/node:v5-${version}`,
    logo: 'node.png',
    supports: [ARCHITECTURES[process.arch] ?? process.arch],
  };
}
