//===- Plan.h - build and read launch plans ---------------------*- C++ -*-===//
//
// PlanFormat.h says what the bytes of a plan are. Here is what makes them
// (PlanBuilder), what owns them (Plan), and what reads them (PlanView). A view
// exists only for bytes that were checked from end to end, so nobody who uses
// one has to check an index again.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_PLAN_H
#define TINY_RUNTIME_PLAN_H

#include "Tiny/Runtime/PlanFormat.h"
#include "Tiny/Runtime/Tensor.h"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tinyrt {

/// As `tiny_segment`, and as the `segment` attribute of the dialect.
enum class Segment : uint32_t { argument, result, constants, state, workspace };

const char *name(Segment segment);

/// A range of records in a plan.
template <typename T> class PlanRange {
public:
  PlanRange(const T *first, size_t count) : first(first), count(count) {}
  const T *begin() const { return first; }
  const T *end() const { return first + count; }
  const T &operator[](size_t i) const { return first[i]; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }

private:
  const T *first;
  size_t count;
};

/// Reads a plan that somebody else keeps in memory.
class PlanView {
public:
  /// A view of `size` bytes at `data`, which must be aligned to 8. False, with the reason in
  /// `error`, if they are not a plan that can be run without any further check: every offset,
  /// index, name and size is looked at here.
  static bool open(const void *data, size_t size, PlanView &view, std::string &error);

  PlanView() = default;
  const tiny_plan &header() const { return *plan; }
  std::string_view entry() const { return text(plan->entry); }
  PlanRange<tiny_plan_kernel> kernels() const { return range<tiny_plan_kernel>(plan->kernels); }
  PlanRange<tiny_plan_launch> launches() const { return range<tiny_plan_launch>(plan->launches); }
  PlanRange<tiny_plan_buffer> buffers() const { return range<tiny_plan_buffer>(plan->buffers); }
  PlanRange<tiny_plan_tensor> inputs() const { return range<tiny_plan_tensor>(plan->inputs); }
  PlanRange<tiny_plan_tensor> outputs() const { return range<tiny_plan_tensor>(plan->outputs); }
  PlanRange<tiny_plan_check> checks() const { return range<tiny_plan_check>(plan->checks); }

  PlanRange<tiny_plan_buffer> buffersOf(const tiny_plan_launch &launch) const {
    return {buffers().begin() + launch.first_buffer, launch.num_buffers};
  }
  std::string_view text(const tiny_plan_table &table) const {
    return {reinterpret_cast<const char *>(plan) + table.offset, static_cast<size_t>(table.count)};
  }
  TensorType type(const tiny_plan_tensor &tensor) const {
    return {static_cast<ElementType>(tensor.element), shape(tensor.shape)};
  }
  TensorType type(const tiny_plan_check &check) const {
    return {static_cast<ElementType>(check.element), shape(check.shape)};
  }

private:
  template <typename T> PlanRange<T> range(const tiny_plan_table &table) const {
    const char *base = reinterpret_cast<const char *>(plan);
    return {reinterpret_cast<const T *>(base + table.offset), static_cast<size_t>(table.count)};
  }
  std::vector<int64_t> shape(const tiny_plan_table &table) const {
    PlanRange<int64_t> sizes = range<int64_t>(table);
    return {sizes.begin(), sizes.end()};
  }

  const tiny_plan *plan = nullptr;
};

/// Owns the bytes of a plan. Empty until it is assigned one.
class Plan {
public:
  /// Copies and checks `size` bytes, which need no alignment.
  static bool load(const void *data, size_t size, Plan &plan, std::string &error);

  bool empty() const { return words.empty(); }
  const void *data() const { return words.data(); }
  size_t bytes() const { return words.size() * sizeof(uint64_t); }
  const PlanView &view() const { return planView; }
  const PlanView *operator->() const { return &planView; }

  /// The LDS of a workgroup, which is known for certain only when the kernel is linked.
  void setLocalBytes(size_t kernel, uint32_t bytes);

  Plan() = default;
  Plan(const Plan &other) { *this = other; }
  Plan &operator=(const Plan &other);
  Plan(Plan &&other) = default; // a moved vector keeps its memory, so the view stays right
  Plan &operator=(Plan &&other) = default;

private:
  std::vector<uint64_t> words;
  PlanView planView;
};

/// What a launch costs; exact counts, or TINY_PLAN_UNKNOWN.
struct LaunchCost {
  uint64_t flops = TINY_PLAN_UNKNOWN;
  uint64_t bytesRead = TINY_PLAN_UNKNOWN;
  uint64_t bytesWritten = TINY_PLAN_UNKNOWN;
};

/// Collects the parts of a plan and lays them out.
///
///   PlanBuilder plan("main");
///   plan.addInput("x", type);
///   plan.addOutput("y", type);
///   uint32_t add = plan.addKernel("add_4x8");
///   plan.addLaunch(add, {4, 1, 1}, {{Segment::argument, 0, 0, 128}, {Segment::result, 0, 0,
///   128}}); plan.workspaceBytes = 0; Plan done; std::string error; bool ok = plan.finish(done,
///   error);
class PlanBuilder {
public:
  struct Buffer {
    Segment segment;
    uint32_t index;
    uint64_t offset;
    uint64_t bytes;
  };

  explicit PlanBuilder(std::string entry = "main") : entry(std::move(entry)) {}

  /// Bytes of the segments that are not tensors of the caller.
  uint64_t constantsBytes = 0;
  uint64_t stateBytes = 0;
  uint64_t workspaceBytes = 0;

  /// A donated input may be written to by launches, and an output may lie in it.
  void addInput(std::string name, TensorType type, bool donated = false);
  /// `donor` is 1 + the number of the input in whose memory the output lies, or 0.
  void addOutput(std::string name, TensorType type, uint32_t donor = 0);

  /// The number of the kernel of that name, added when it is new: several launches of one kernel
  /// share it.
  uint32_t addKernel(const std::string &name, std::array<uint32_t, 3> block = {1, 1, 1},
                     uint32_t localBytes = 0);

  /// Launches run in the order of these calls. `buffers` are in the order of the kernel's buffers;
  /// `label` is for people (the profile and the report), the kernel's name if empty.
  void addLaunch(uint32_t kernel, std::array<uint32_t, 3> grid, const std::vector<Buffer> &buffers,
                 std::string label = "", LaunchCost cost = {});

  /// The tests of the program; `location` as "file:line:column".
  void addExpectEq(TensorType type, Buffer actual, Buffer expected, std::string location);
  void addExpectClose(TensorType type, Buffer actual, Buffer expected, double rtol, double atol,
                      std::string location);

  /// Lays out the plan and checks it as PlanView::open does.
  bool finish(Plan &plan, std::string &error) const;

private:
  struct NamedTensor {
    std::string name;
    TensorType type;
    uint32_t donor;
  };
  struct Kernel {
    std::string name;
    std::array<uint32_t, 3> block;
    uint32_t localBytes;
  };
  struct Launch {
    uint32_t kernel;
    std::array<uint32_t, 3> grid;
    uint32_t firstBuffer, numBuffers;
    std::string label;
    LaunchCost cost;
  };
  struct Check {
    uint32_t kind;
    TensorType type;
    Buffer actual, expected;
    double rtol, atol;
    std::string location;
  };

  std::string entry;
  std::vector<NamedTensor> inputs, outputs;
  std::vector<Kernel> kernels;
  std::map<std::string, uint32_t> kernelNumbers;
  std::vector<Launch> launches;
  std::vector<Buffer> buffers;
  std::vector<Check> checks;
};

} // namespace tinyrt

#endif // TINY_RUNTIME_PLAN_H
