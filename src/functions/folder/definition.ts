import type { NewFunction } from '../store.js';

/** A function as the folder describes it; its code has not been looked at. */
export interface Definition {
  id: string;
  /** Absolute path of the folder with its code. */
  directory: string;
  /** Relative to `directory`; undefined: to be found. */
  entrypoint: string | undefined;
  settings: Omit<NewFunction, 'id' | 'entrypoint' | 'origin'>;
  /** What is asked for and does not work yet. */
  warnings: string[];
}

/** Why a function can't be loaded: a sentence that says what to change. */
export class FunctionFault extends Error {
  override name = 'FunctionFault';
}

/** What the functions folder names. */
export interface Discovery {
  /** Ids of all functions that are there, the bad ones too. */
  ids: Set<string>;
  definitions: Definition[];
  faults: { id: string; message: string }[];
}

const ID = /^[A-Za-z0-9][\w.-]{0,35}$/;

/** @throws FunctionFault when this can't be a function's id. Contract: management, ids. */
export function checkFunctionId(id: string): void {
  if (!ID.test(id)) {
    throw new FunctionFault(
      'its id must be 1 to 36 of the characters A-Z a-z 0-9 . _ -, the first a letter or digit',
    );
  }
}
