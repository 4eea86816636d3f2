export { ERRORS, type ErrorCode, SeineError } from '../core/errors.ts';
export type {
  AttributeType,
  AttributeValue,
  DeviceName,
  Dtype,
  Filter,
  FilterExpression,
  GeoPoint,
  MergeOptions,
  Metric,
  Order,
  Pairs,
  RescoreOptions,
  SearchOptions,
  SelectOptions,
  TopK,
  TopKList,
} from '../core/types.ts';
export type { Appended, Compacted, Device, RowBatch, Rows, UploadOptions } from '../device/device.ts';
export { openWebgpu } from './openWebgpu.ts';
