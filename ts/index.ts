export { ERRORS, type ErrorCode, SeineError } from './core/errors.ts';
export type * from './core/explanation.ts';
export type * from './core/types.ts';
export type { Appended, Device, RowBatch, Rows, UploadOptions } from './device/device.ts';
export { type DeviceChoice, openDevice, type ProbedDevice, probeDevices } from './device/openDevice.ts';
export { type OporpOptions, oporp } from './device/oporp.ts';
export { type QuantizedRows, quantize } from './device/quantize.ts';
export type { QuantizeOptions, StoredRows } from './device/storedRows.ts';
export type { EmbedTextsOptions, EmbedTextsResult } from './embedTexts.ts';
export type { IndexInfo, IndexModels } from './indexParts.ts';
export type { EncodeProgress, Encoder } from './models/encoder.ts';
export type { FeatureScale, FeatureWeights } from './models/featureWeights.ts';
export type { ScoreCacheState } from './online/rank/scoreCache.ts';
export type { ReembedResult } from './online/retrieve/embedMissing.ts';
export {
  type EmbedderOptions,
  type OpenedEmbedder,
  type OpenOptions,
  open,
  openEmbedder,
  type ScoreCacheSettings,
} from './open.ts';
export type { RankDocument, RankOptions, RankResult, RankText } from './rankTexts.ts';
export type { RequestOptions } from './requestOptions.ts';
export type { Answer } from './search.ts';
export type { ExplainOptions, SearchIndexOptions } from './searchOptions.ts';
export type { SeineIndex } from './seineIndex.ts';
export type { ScoreKind, ScoreTierState } from './store/scoreEntry.ts';
export type { DeleteResult, StoreInfo, StoreModel } from './store/types.ts';
export type { UpsertResult, WriteOptions } from './upsert.ts';
