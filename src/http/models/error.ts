import { Type } from 'typebox';

export const ErrorModel = Type.Object(
  {
    message: Type.String(),
    code: Type.Integer({ description: 'The HTTP status.' }),
    type: Type.String({ description: 'What went wrong, for programs.' }),
    version: Type.String({ description: "The server's version." }),
  },
  { title: 'Error' },
);
