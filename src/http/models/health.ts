import { Type } from 'typebox';

export const HealthModel = Type.Object(
  {
    status: Type.Enum(['pass'], { type: 'string' }),
    version: Type.String(),
    sandbox: Type.String({
      description: 'The walls around function code: `bubblewrap`, `user` or `process`.',
    }),
  },
  { title: 'Health' },
);

export const VersionModel = Type.Object({ version: Type.String() }, { title: 'Version' });
