//===- ProgramCost.cpp - sums of costs ------------------------------------===//

#include "Tiny/Schedule/ProgramCost.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <numeric>

using namespace mlir::tiny;

std::string_view mlir::tiny::name(OpKind kind) {
  static constexpr std::string_view names[] = {"add",   "mul",  "div",    "sqrt",  "exp2",
                                               "log2",  "sin",  "max",    "other", "cmp",
                                               "where", "cast", "integer"};
  static_assert(std::size(names) == kNumOpKinds);
  return names[static_cast<size_t>(kind)];
}

static void addProduct(uint64_t &sum, uint64_t number, uint64_t times) {
  sum = llvm::SaturatingMultiplyAdd(number, times, sum);
}

uint64_t OpCounts::flops() const {
  uint64_t sum = 0;
  for (size_t kind = 0; kind < kNumOpKinds; ++kind)
    if (isFlop(static_cast<OpKind>(kind)))
      addProduct(sum, counts[kind], 1);
  return sum;
}

uint64_t OpCounts::all() const {
  uint64_t sum = 0;
  for (uint64_t count : counts)
    addProduct(sum, count, 1);
  return sum;
}

void OpCounts::add(const OpCounts &other, uint64_t times) {
  for (size_t kind = 0; kind < kNumOpKinds; ++kind)
    addProduct(counts[kind], other.counts[kind], times);
}

void ByteCount::add(const ByteCount &other, uint64_t times) {
  addProduct(bytes, other.bytes, times);
  exact &= other.exact || times == 0;
}

double LaunchCount::seconds(double gigaflops, double gigabytesPerSecond) const {
  double flops = static_cast<double>(ops.flops());
  double bytes = static_cast<double>(read.bytes) + static_cast<double>(written.bytes);
  return 1e-9 * std::max(flops / gigaflops, bytes / gigabytesPerSecond);
}

double LaunchCount::intensity() const {
  double bytes = static_cast<double>(read.bytes) + static_cast<double>(written.bytes);
  return bytes > 0 ? static_cast<double>(ops.flops()) / bytes : 0;
}

LaunchCount ProgramCost::total() const {
  LaunchCount total;
  for (const KernelCost &kernel : kernels) {
    total.ops.add(kernel.each.ops, kernel.launches);
    total.read.add(kernel.each.read, kernel.launches);
    total.written.add(kernel.each.written, kernel.launches);
    total.localBytes = std::max(total.localBytes, kernel.each.localBytes);
  }
  return total;
}

/// One launch after the other, each as fast as the slower of its two limits.
double ProgramCost::seconds(double gigaflops, double gigabytesPerSecond) const {
  double sum = 0;
  for (const KernelCost &kernel : kernels)
    sum +=
        static_cast<double>(kernel.launches) * kernel.each.seconds(gigaflops, gigabytesPerSecond);
  return sum;
}
