import { resolve } from 'node:path';

/** A model that a file in `folder` names: a path that begins with `.` or `..` is relative to it, other names stay. */
export const modelAt = (folder: string, name: string): string =>
  /^\.{1,2}([\\/]|$)/.test(name) ? resolve(folder, name) : name;
