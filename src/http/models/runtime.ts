import { type Static, Type } from 'typebox';

export const RuntimeModel = Type.Object(
  {
    $id: Type.String({ description: '`key` and `version`, e.g. `node-20.0`.' }),
    key: Type.String(),
    name: Type.String(),
    version: Type.String(),
    base: Type.String(),
    image: Type.String(),
    logo: Type.String(),
    supports: Type.Array(Type.String(), { description: 'Processor architectures.' }),
  },
  { title: 'Runtime', description: 'What functions can be written for.' },
);

export const RuntimeListModel = Type.Object(
  { total: Type.Integer(), runtimes: Type.Array(RuntimeModel) },
  { title: 'RuntimeList' },
);

/** A runtime that this server offers. */
export type Runtime = Static<typeof RuntimeModel>;

export const runtimeExample: Runtime = {
  $id: 'node-20.0',
  key: 'node',
  name: 'Node.js',
  version: '20.0',
  base: 'node:20.0-alpine',
  image: 'openruntimes/node:v5-20.0',
  logo: 'node.png',
  supports: ['x86', 'arm64'],
};
