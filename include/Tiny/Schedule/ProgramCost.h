//===- ProgramCost.h - what a program costs, before it runs -----*- C++ -*-===//
//
// Exact counts of a scheduled program, without MLIR in them: what the report
// prints, what limits are compared with, and what a launch plan carries.
// docs/Report.md defines each number.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_SCHEDULE_PROGRAMCOST_H
#define TINY_SCHEDULE_PROGRAMCOST_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::tiny {

/// Kinds of scalar ops. A fused multiply-add counts as one mul and one add. `cast` to `integer` and
/// what is neither are no floating point operations.
enum class OpKind : uint8_t {
  add, // and subtraction
  mul,
  div,
  sqrt,
  exp2,
  log2,
  sin,
  max,   // and min
  other, // floating point, none of the above
  cmp,
  where,
  cast,
  integer,
};
constexpr size_t kNumOpKinds = static_cast<size_t>(OpKind::integer) + 1;
std::string_view name(OpKind kind);
constexpr bool isFlop(OpKind kind) { return kind < OpKind::cmp; }

/// How often each kind is executed; sums stop at the largest number there is.
struct OpCounts {
  std::array<uint64_t, kNumOpKinds> counts = {};

  uint64_t operator[](OpKind kind) const { return counts[static_cast<size_t>(kind)]; }
  uint64_t flops() const;
  uint64_t all() const;
  void add(const OpCounts &other, uint64_t times = 1);
};

/// `exact`, or there are at most so many.
struct ByteCount {
  uint64_t bytes = 0;
  bool exact = true;

  void add(const ByteCount &other, uint64_t times = 1);
};

/// One run of a kernel.
struct LaunchCount {
  OpCounts ops;
  ByteCount read, written;
  /// Of the locals, for one iteration of the loops that their nests share.
  uint64_t localBytes = 0;

  double seconds(double gigaflops, double gigabytesPerSecond) const;
  /// Floating point operations per byte that is read or written.
  double intensity() const;
};

/// A result that a kernel only copies elements for.
struct CopyCost {
  ByteCount bytes;
  /// Why the buffer exists, from the kernel's `tiny.reason`; may be empty.
  std::string reason;
};

struct KernelCost {
  std::string name;
  LaunchCount each;
  uint64_t launches = 0;
  std::vector<CopyCost> copies; ///< Of each launch.
};

struct ProgramCost {
  std::string entry;
  std::vector<KernelCost> kernels; ///< In the order of their first launch.
  std::vector<uint32_t> launches;  ///< The kernel of each launch.

  /// Bytes of the segments.
  uint64_t arguments = 0, results = 0, constants = 0, workspace = 0;
  /// No placement of the workspace takes less.
  uint64_t workspaceLowerBound = 0;

  /// All segments together.
  uint64_t memory() const { return arguments + results + constants + workspace; }
  LaunchCount total() const;
  double seconds(double gigaflops, double gigabytesPerSecond) const;
};

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_PROGRAMCOST_H
