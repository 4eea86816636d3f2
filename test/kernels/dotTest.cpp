// Compares the products of codes of levels that this processor may lack, whose instructions imitation/ has in
// plain C++, with sums in plain C++. Prints a line a level; exits with 1 if a product differs.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "../../kernels/certify.h"
#include "../../native/alignedArray.h"

namespace seine {
extern const CertifyKernel imitatedVnni;
extern const CertifyKernel imitatedAvx512;
}  // namespace seine

namespace {

using namespace seine;

constexpr size_t kGroups = 4, kRows = kGroups * kCodeGroup, kMostQueries = 19;

struct Level {
  const char* name;
  const CertifyKernel& kernel;
};

/// Queries whose codes are as large as they may be, of one sign where they are added up, or normal.
float draw(std::mt19937& random, int kind, size_t column) {
  const float normal = std::normal_distribution<float>()(random);
  if (kind == 0) return normal;
  if (kind == 1) return column % 4 < 2 ? 1.0f : -std::fabs(normal);
  if (kind == 2) return column % 16 < 8 ? 1.0f : -1.0f;
  return column == 5 ? 1e3f : normal;
}

/// The number of products that are not those of plain C++.
size_t wrongProducts(const CertifyKernel& kernel, size_t dim, int kind, size_t q) {
  std::mt19937 random(static_cast<unsigned>(dim * 31 + q));
  const size_t stride = (dim + kCodeAlign - 1) / kCodeAlign * kCodeAlign;
  AlignedArray<uint8_t> groups(kRows * stride);
  for (size_t i = 0; i < kRows * stride; i++) {
    groups[i] = static_cast<uint8_t>(random() % 3 == 0 ? 255 : random() % 3 == 0 ? 1 : 1 + random() % 255);
  }
  AlignedArray<int8_t> queries(q * stride);
  std::vector<int32_t> surplus(q);
  std::vector<float> values(dim);
  for (size_t i = 0; i < q; i++) {
    for (size_t j = 0; j < dim; j++) values[j] = draw(random, kind, j);
    encodeQuery(Metric::ip, values.data(), dim, kernel.narrowSums, queries.data() + i * stride);
    for (size_t j = 0; j < dim; j++) surplus[i] += 128 * queries[i * stride + j];
  }
  constexpr size_t kDotStride = kRows + kCodeGroup;
  AlignedArray<int32_t> dots(kMostQueries * kDotStride);
  kernel.dots({groups.data(), kGroups, queries.data(), surplus.data(), q, stride, dots.data(), kDotStride});
  size_t wrong = 0;
  for (size_t i = 0; i < q; i++) {
    for (size_t row = 0; row < kRows; row++) {
      const uint8_t* const codes =
          groups.data() + row / kCodeGroup * kCodeGroup * stride + row % kCodeGroup * 4;
      int32_t sum = -surplus[i];
      for (size_t j = 0; j < stride; j++) {
        sum += codes[j / 4 * 4 * kCodeGroup + j % 4] * queries[i * stride + j];
      }
      wrong += dots[i * kDotStride + row] != sum;
    }
  }
  return wrong;
}

}  // namespace

int main() {
  size_t wrong = 0;
  for (const Level& level : {Level{"avx512vnni", imitatedVnni}, Level{"avx512", imitatedAvx512}}) {
    size_t products = 0;
    for (const size_t dim : {1, 3, 16, 64, 65, 384}) {
      for (int kind = 0; kind < 4; kind++) {
        for (size_t q = 1; q <= kMostQueries; q++) {
          wrong += wrongProducts(level.kernel, dim, kind, q);
          products += q * kRows;
        }
      }
    }
    std::printf("%s: %zu products\n", level.name, products);
  }
  if (wrong > 0) std::printf("FAILED: %zu products are wrong\n", wrong);
  return wrong > 0 ? 1 : 0;
}
