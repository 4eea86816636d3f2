// What a device of the addon provides. The JavaScript side has checked and owns every argument: filters and
// removed rows arrive as one bitset, searches name the number of rows that they see (ts/device/device.ts).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../kernels/merge.h"
#include "../kernels/metric.h"
#include "borrowed.h"
#include "chunk.h"
#include "error.h"
#include "filterTask.h"
#include "floats.h"
#include "words.h"

namespace seine {

/// Called exactly once, on any thread; an empty optional is success.
using Done = std::function<void(std::optional<Error> failure)>;

/// What rows are scored with: see AskedQueries and MaxsimTask in ts/device/device.ts.
struct AskedQueries {
  std::vector<float> queries;   // [q, dim], or [offsets[q], dim] with maxsim
  std::vector<uint32_t> words;  // [q, ceil(dim / 32)], instead of them for binary rows
  std::vector<float> weights;   // [q, 1 + features], for rows with features
  /// Only with maxsim: where the tokens of each query begin, and the end [q + 1]; and of each document, among
  /// the rows. Ids and counts are those of documents then.
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> documents;
  size_t q = 0;

  /// Queries, or their tokens.
  size_t vectors() const { return offsets.empty() ? q : offsets.back(); }
};

struct SearchTask : AskedQueries {
  size_t k = 0;      // 1 to `passing`
  size_t count = 0;  // rows of the snapshot, at least 1
  /// Bits of the rows that pass, [ceil(count / 32)], zero from `count` on.
  std::vector<uint32_t> allowed;
  /// The rows that pass, rising, in place of `allowed` where they are few. If both are empty, all pass.
  std::vector<uint32_t> listed;
  size_t passing = 0;
  /// Set by the JavaScript thread; to be polled. The result of a cancelled search is not used.
  std::atomic<bool> cancelled{false};

  // The result, filled in before Done: canonical scores in final order.
  std::vector<uint32_t> ids;  // [q, k]
  std::vector<float> scores;  // [q, k]
};

struct RescoreTask : AskedQueries {
  std::vector<uint32_t> pairQueries;  // [pairs]
  std::vector<uint32_t> pairRows;     // [pairs]
  std::vector<float> scores;          // [pairs], the result
};

/// See SelectTask in ts/device/device.ts.
struct SelectTask {
  Borrowed<Floats> scores;  // [q, n]
  size_t q, n, k;
  bool lowest;

  // The result.
  std::vector<uint32_t> ids{};  // [q, k]
  std::vector<float> best{};    // [q, k]
};

/// See MergeTask in ts/device/device.ts.
struct MergeTask {
  Borrowed<MergeEntries> entries;
  size_t entryCount, q, lists, k;
  bool lowest;

  // The result.
  std::vector<uint32_t> ids{};  // [q, k]
  std::vector<float> best{};    // [q, k]
};

struct ScanTotals {
  uint64_t queries = 0;
  /// Queries that were answered from the rows alone, since codes would not exclude enough of them.
  uint64_t open = 0;
  /// Rows that were scored in float32 for the others, all of whose codes were read.
  uint64_t scored = 0;
};

/// Resident rows. Calls come from one thread at a time; work runs elsewhere.
class Rows {
 public:
  virtual ~Rows() = default;
  /// Bytes that the rows take.
  virtual size_t bytes() const = 0;
  /// Rows appended so far.
  virtual size_t count() const = 0;
  /// What searches so far did.
  virtual ScanTotals scanTotals() const { return {}; }
  /// Copies float32 rows at once, for `appendTaken`, and returns the index of the first number that is not
  /// finite, or how many there are; nothing if the device does not do that. Not while an append is under way.
  virtual std::optional<size_t> take(Borrowed<StoredRows>) { return std::nullopt; }
  /// Appends the rows taken last.
  virtual void appendTaken(Done) { throw Error("ERR_ARGUMENT", "No rows were taken."); }
  /// Appends `data`, all or nothing. Never two at a time, but searches of earlier rows go on.
  virtual void append(Borrowed<StoredRows> data, Done done) = 0;
  /// Copies `n` rows, as they were given, to `numbers`, for int8 `scales`, and `features` if there are any;
  /// throws Error.
  virtual void read(const uint32_t* ids, size_t n, uint8_t* numbers, float* scales,
                    float* features) const = 0;
  /// Sees the first `task->count` rows. Destroying the rows meanwhile must not disturb it.
  virtual void search(std::shared_ptr<SearchTask> task, Done done) = 0;
  /// Canonical scores of pairs, whose rows are there. Destroying the rows meanwhile must not disturb it.
  virtual void rescore(std::shared_ptr<RescoreTask> task, Done done) = 0;
  /// Writes words from place `at` on into one of the arrays that columns lie in, and drops what lies after
  /// them. Never two at a time, but filters of earlier rows go on.
  virtual void writeColumn(size_t array, size_t at, Borrowed<Words> words, Done done) = 0;
  /// The first `task->count` rows that pass; the program is well-formed. Destroying the rows meanwhile must
  /// not disturb it.
  virtual void filter(std::shared_ptr<FilterTask> task, Done done) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string description() const = 0;
  /// `features`: float32 beside each row. `coded`: searches may read codes first.
  virtual std::unique_ptr<Rows> createRows(size_t dim, Metric metric, Dtype dtype, size_t features,
                                           bool coded) = 0;
  virtual void select(std::shared_ptr<SelectTask> task, Done done) = 0;
  virtual void merge(std::shared_ptr<MergeTask> task, Done done) = 0;
};

/// The SIMD device. `isa` names a level of `supportedIsas` or is empty for the best one; the pool of the
/// process gets `threads` threads unless it exists already. `coded`: rows get int8 codes, which searches read
/// first.
std::unique_ptr<Backend> openCpu(const std::string& isa, size_t threads, bool coded);

/// CUDA devices, in builds that have them: fills `opened` off the calling thread, or fails with why there is
/// none. `ordinals` names them, each once; if it is empty, the first one that can be used. Blocks of
/// `blockRows` rows, a power of two from 32 on, lie on them in turn.
void openCuda(size_t threads, std::vector<int> ordinals, size_t blockRows,
              std::shared_ptr<std::unique_ptr<Backend>> opened, Done done);

}  // namespace seine
