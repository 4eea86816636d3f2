// Tiles of up to 16 queries × 64 codes and of 64 codes × 16 rows: a group's interleaved codes are the second
// as they stand.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "certify.h"

namespace seine {
namespace {

constexpr bool kNarrowSums = false;
constexpr size_t kTile = 16;

/// Tiles 0 to 3 hold sums, 4 and 5 queries, of `queries` rows each; 6 and 7 hold codes of rows.
void configureTiles(size_t queries) {
  struct {
    uint8_t palette = 1;
    uint8_t start = 0;
    uint8_t reserved[14] = {};
    uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {};
  } config;
  for (size_t tile = 0; tile < 8; tile++)
    config.rows[tile] = static_cast<uint8_t>(tile < 6 ? queries : kTile);
  _tile_loadconfig(&config);
}

/// 32 queries against two groups, sums from `starts` [32, 16] on: each tile that is loaded is used twice.
void fourTiles(const CodeBlock& block, const int32_t* starts, size_t query, size_t group) {
  const size_t stride = block.stride, dotBytes = block.dotStride * sizeof(int32_t);
  const uint8_t* const rows = block.groups + group * kTile * stride;
  const int8_t* const queries = block.queries + query * stride;
  int32_t* const dots = block.dots + query * block.dotStride + group * kTile;
  _tile_loadd(0, starts, 64);
  _tile_loadd(1, starts, 64);
  _tile_loadd(2, starts + kTile * kTile, 64);
  _tile_loadd(3, starts + kTile * kTile, 64);
  for (size_t k = 0; k < stride; k += 64) {
    _tile_loadd(4, queries + k, stride);
    _tile_loadd(5, queries + kTile * stride + k, stride);
    _tile_loadd(6, rows + k * kTile, 64);
    _tile_loadd(7, rows + (stride + k) * kTile, 64);
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
    _tile_dpbsud(2, 5, 6);
    _tile_dpbsud(3, 5, 7);
  }
  _tile_stored(0, dots, dotBytes);
  _tile_stored(1, dots + kTile, dotBytes);
  _tile_stored(2, dots + kTile * block.dotStride, dotBytes);
  _tile_stored(3, dots + kTile * block.dotStride + kTile, dotBytes);
}

/// As many queries as a tile is configured for, against two groups.
void twoTiles(const CodeBlock& block, const int32_t* starts, size_t query, size_t group) {
  const size_t stride = block.stride, dotBytes = block.dotStride * sizeof(int32_t);
  const uint8_t* const rows = block.groups + group * kTile * stride;
  const int8_t* const queries = block.queries + query * stride;
  int32_t* const dots = block.dots + query * block.dotStride + group * kTile;
  _tile_loadd(0, starts, 64);
  _tile_loadd(1, starts, 64);
  for (size_t k = 0; k < stride; k += 64) {
    _tile_loadd(4, queries + k, stride);
    _tile_loadd(6, rows + k * kTile, 64);
    _tile_loadd(7, rows + (stride + k) * kTile, 64);
    _tile_dpbsud(0, 4, 6);
    _tile_dpbsud(1, 4, 7);
  }
  _tile_stored(0, dots, dotBytes);
  _tile_stored(1, dots + kTile, dotBytes);
}

void dotBlock(const CodeBlock& block) {
  alignas(64) int32_t starts[2 * kTile * kTile];
  size_t query = 0, configured = 0;
  while (query < block.queryCount) {
    const size_t left = block.queryCount - query;
    const size_t tile = left < kTile ? left : kTile;
    if (tile != configured) configureTiles(configured = tile);
    const bool two = left >= 2 * kTile;
    // Sums start below zero by what codes that are stored 128 higher add.
    for (size_t q = 0; q < (two ? 2 * kTile : tile); q++) {
      _mm512_store_si512(starts + q * kTile, _mm512_set1_epi32(-block.surplus[query + q]));
    }
    for (size_t group = 0; group < block.groupCount; group += 2) {
      if (two) {
        fourTiles(block, starts, query, group);
      } else {
        twoTiles(block, starts, query, group);
      }
    }
    query += two ? 2 * kTile : tile;
  }
  _tile_release();
}

}  // namespace
}  // namespace seine
