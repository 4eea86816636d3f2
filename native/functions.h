// The functions that the addon exports; types in ts/device/native.ts.
#pragma once

#include "call.h"

namespace seine {

/// (isa: string, threads: number, coded: boolean) -> backend
napi_value openCpuFunction(const Call& call);
/// (threads: number, devices: Uint32Array, blockRows: number) -> Promise<backend>; only in builds with CUDA
napi_value openCudaFunction(const Call& call);
/// () -> string[], best first
napi_value supportedIsasFunction(const Call& call);
/// (backend) -> string
napi_value describeFunction(const Call& call);
/// (backend, dim, metric, dtype: number, features: number | undefined, coded: boolean | undefined) -> rows
napi_value createRowsFunction(const Call& call);
/// (rows) -> number
napi_value bytesFunction(const Call& call);
/// (rows) -> { queries: number, open: number, scored: number }
napi_value scanTotalsFunction(const Call& call);
/// (isa: string, metric, dim, data, query, thresholds, lows, highs: Float32Array, reaches: Uint32Array) ->
/// undefined
napi_value certifyFunction(const Call& call);
/// (rows, numbers: Float32Array, features | undefined) -> number | undefined
napi_value takeFunction(const Call& call);
/// (rows, numbers | undefined, scales: Float32Array, features | undefined) -> Promise<undefined>
napi_value appendFunction(const Call& call);
/// (rows, ids: Uint32Array, numbers, scales: Float32Array, features | undefined) -> undefined
napi_value readFunction(const Call& call);
/// (rows, array: number, at: number, words: Uint32Array) -> Promise<undefined>
napi_value writeColumnFunction(const Call& call);
/// (rows, steps, intervals, bits, count, mask) -> [number, Promise<number>]
napi_value filterFunction(const Call& call);
/// (words, among: Uint32Array | undefined, totals: Uint32Array) -> undefined
napi_value narrowFunction(const Call& call);
/// (words, positions: Uint32Array) -> undefined
napi_value listBitsFunction(const Call& call);
/// (rows, queries, q, k, count, allowed | undefined, passing, ids, scores, listed | undefined,
/// weights | undefined, offsets | undefined, documents | undefined) ->
/// [number, Promise<undefined>]
napi_value searchFunction(const Call& call);
/// (rows, queries, q, pairQueries, pairRows, scores, weights | undefined, offsets | undefined,
/// documents | undefined) -> Promise<undefined>
napi_value rescoreFunction(const Call& call);
/// (backend, scores, q, n, k, lowest: boolean, ids, scores) -> Promise<undefined>
napi_value selectFunction(const Call& call);
/// (backend, ids, scores, starts, q, lists, k, lowest: boolean, ids, scores) -> Promise<undefined>
napi_value mergeFunction(const Call& call);
/// (number) -> undefined
napi_value cancelFunction(const Call& call);
/// (rows) -> undefined
napi_value disposeRowsFunction(const Call& call);
/// (rows, values: Float32Array) -> Promise<number>
napi_value findNotFiniteFunction(const Call& call);
/// (isa, threads, values, dim, dtype, normalize, codes, scales, errors) -> Promise<number>
napi_value quantizeFunction(const Call& call);
/// (isa, threads, parameters, mean, variance, gradient: Float32Array, decayed: number, constants:
/// Float64Array)
/// -> Promise<undefined>
napi_value adamWFunction(const Call& call);
/// (isa, threads, values: Float32Array) -> Promise<number>
napi_value squaredLengthFunction(const Call& call);
/// (path: string, offset: number, length: number) -> ArrayBuffer
napi_value mapFileFunction(const Call& call);

}  // namespace seine
