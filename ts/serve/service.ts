import type { SeineIndex } from '../seineIndex.ts';
import type { Settings } from './settings/schema.ts';

/** What the routes work with. */
export interface Service {
  index: SeineIndex;
  settings: Settings;
  /** Of the package. */
  version: string;
  /** True once the server has been told to stop: it is no longer ready. */
  draining: boolean;
}
