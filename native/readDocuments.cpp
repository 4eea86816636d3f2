#include <algorithm>

#include "handles.h"

namespace seine {
namespace {

/// Whether words begin with 0, never fall, and end with `end` at most.
bool isOffsets(const Words& words, size_t end) {
  return words.size > 0 && words.data[0] == 0 && words.data[words.size - 1] <= end &&
         std::is_sorted(words.data, words.data + words.size);
}

}  // namespace

void readDocuments(const Call& call, size_t index, const ResidentRows& resident, size_t count,
                   AskedQueries& asked) {
  if (call.isUndefined(index) && call.isUndefined(index + 1)) return;
  const Words offsets = call.words(index, "offsets"), documents = call.words(index + 1, "documents");
  if (resident.layout.metric != Metric::ip || resident.layout.features > 0) {
    throw Error("ERR_ARGUMENT", "documents go with ip, without features.");
  }
  if (offsets.size != asked.q + 1 || !isOffsets(offsets, 0xffffffff) || documents.size != count + 1 ||
      !isOffsets(documents, resident.rows->count())) {
    throw Error("ERR_DIMENSION",
                "offsets must be [q + 1] and documents [count + 1], rising from 0 to what there is.");
  }
  asked.offsets.assign(offsets.data, offsets.data + offsets.size);
  asked.documents.assign(documents.data, documents.data + documents.size);
}

}  // namespace seine
