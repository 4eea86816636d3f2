// The scan of documents by maxsim: finds every one that may be among the k best by the float32 products of
// its tokens.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "candidates.h"
#include "scanContext.h"
#include "scratchPool.h"

namespace seine {

class DocumentScan {
 public:
  explicit DocumentScan(const ScanContext& context);
  ~DocumentScan();

  size_t stripes() const { return stripes_; }
  /// Any number of stripes at once.
  void scanStripe(size_t stripe);
  /// After all stripes: the documents that may be among the k best of a query.
  std::vector<uint32_t> candidates(size_t query) const;

 private:
  struct Scratch;

  void addDocument(Scratch& scratch, uint32_t document);
  void scanBlock(Scratch& scratch);
  void addBest(Scratch& scratch, size_t token, const float* scores) const;
  void collect(Scratch& scratch, size_t query);

  const ScanContext& context_;
  std::vector<std::atomic<float>> thresholds_;
  size_t blockRows_;  // tokens that fit into the second-level cache
  size_t toScan_;     // listed documents, or all
  size_t stripeDocuments_;
  size_t stripes_;
  ScratchPool<Scratch> scratches_;
};

}  // namespace seine
