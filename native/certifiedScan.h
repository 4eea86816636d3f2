// The scan of int8 codes: finds every row that may be among the k best from a quarter of the bytes, then
// scores these rows in float32 until the bound of the codes excludes the rest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "codedCandidates.h"
#include "scanContext.h"
#include "scratchPool.h"

namespace seine {

class CertifiedScan {
 public:
  explicit CertifiedScan(const ScanContext& context);
  ~CertifiedScan();

  size_t stripes() const { return stripes_; }
  /// Any number of stripes at once.
  void scanStripe(size_t stripe);
  /// Numbers of the queries whose bound excludes too few rows: they are left to the scan of the rows.
  std::vector<size_t> open() const;
  bool isOpen(size_t query) const { return open_[query]; }
  /// After all stripes, for a query that is not open: the rows that may be among its k best. Adds to `scored`
  /// how many rows were scored in float32 for that.
  std::vector<uint32_t> candidates(size_t query, size_t& scored) const;

 private:
  struct Scratch;

  void leaveOpen(size_t query);
  void scanBlock(Scratch& scratch, size_t begin, size_t end);
  CodedRows codedRows(size_t begin) const;
  void collect(Scratch& scratch, size_t query, const int32_t* dots, CodedRows rows, size_t begin, size_t end);
  void narrow(Scratch& scratch, size_t query);
  void score(size_t query, std::span<Candidate> candidates) const;

  const ScanContext& context_;
  AlignedArray<int8_t> queries_;  // [q, codeStride], with room for whole tiles
  std::vector<int32_t> surplus_;  // [q]
  std::vector<CodeBound> bounds_;
  std::vector<std::atomic<float>> thresholds_;
  std::vector<std::atomic<bool>> open_;
  std::atomic<size_t> openCount_{0};
  size_t blockRows_;
  size_t stripeRows_;
  size_t stripes_;
  ScratchPool<Scratch> scratches_;
};

}  // namespace seine
