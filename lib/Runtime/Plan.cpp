//===- Plan.cpp - build and read launch plans -----------------------------===//
//
// The layout pass below and the checks of PlanView::open are the two sides of
// PlanFormat.h. A plan may come from a file or from somebody else's object, so
// the checks assume nothing about the bytes.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Plan.h"

#include <cstring>
#include <limits>

using namespace tinyrt;

static_assert(sizeof(tiny_plan) % 8 == 0 && sizeof(tiny_plan_launch) % 8 == 0 &&
                  sizeof(tiny_plan_check) % 8 == 0 && sizeof(tiny_plan_kernel) % 8 == 0 &&
                  sizeof(tiny_plan_tensor) % 8 == 0 && sizeof(tiny_plan_buffer) % 8 == 0,
              "tables follow each other at multiples of 8");

const char *tinyrt::name(Segment segment) {
  static const char *const names[] = {"argument", "result", "constants", "state", "workspace"};
  return names[static_cast<size_t>(segment)];
}

//===----------------------------------------------------------------------===//
// PlanView
//===----------------------------------------------------------------------===//

namespace {
/// The checks of PlanView::open, in the order of the format. Each returns false after it has
/// written the reason.
class Checker {
public:
  Checker(const void *data, size_t size, std::string &error)
      : base(static_cast<const char *>(data)), size(size), error(error) {}

  bool check();

private:
  bool fail(const std::string &reason) {
    error = "invalid launch plan: " + reason;
    return false;
  }
  template <typename T> bool table(const tiny_plan_table &table, const char *what);
  bool text(const tiny_plan_table &table, const char *what);
  bool tensorType(uint32_t element, const tiny_plan_table &shape, const std::string &what,
                  uint64_t &bytes);
  bool tensors(const tiny_plan_table &table, const char *what, std::vector<uint64_t> &bytes);
  bool donors();
  bool buffer(const tiny_plan_buffer &buffer, const std::string &what);
  bool launch(const tiny_plan_launch &launch, const std::string &what);
  bool checkOp(const tiny_plan_check &check, const std::string &what);

  template <typename T> const T *records(const tiny_plan_table &table) const {
    return reinterpret_cast<const T *>(base + table.offset);
  }

  const char *base;
  size_t size;
  std::string &error;
  const tiny_plan *plan = nullptr;
  std::vector<uint64_t> inputBytes, outputBytes;
};
} // namespace

template <typename T> bool Checker::table(const tiny_plan_table &table, const char *what) {
  if (table.offset % 8 != 0)
    return fail(std::string(what) + " table is not aligned");
  if (table.offset > size || table.count > (size - table.offset) / sizeof(T))
    return fail(std::string(what) + " table lies outside of the plan");
  return true;
}

bool Checker::text(const tiny_plan_table &table, const char *what) {
  if (table.offset >= size || table.count >= size - table.offset)
    return fail(std::string(what) + " lies outside of the plan");
  const char *first = base + table.offset;
  if (first[table.count] != 0 || std::memchr(first, 0, table.count))
    return fail(std::string(what) + " is not ended by its zero byte");
  return true;
}

bool Checker::tensorType(uint32_t element, const tiny_plan_table &shape, const std::string &what,
                         uint64_t &bytes) {
  if (element > static_cast<uint32_t>(ElementType::ui64))
    return fail(what + " has the unknown element type " + std::to_string(element));
  if (!table<int64_t>(shape, "shape"))
    return false;
  // The product of the sizes that are not 0 must fit: a 0 elsewhere may not hide an overflow from
  // code that multiplies in another order.
  uint64_t product = byteSize(static_cast<ElementType>(element));
  bool empty = false;
  for (uint64_t i = 0; i < shape.count; ++i) {
    int64_t dim = records<int64_t>(shape)[i];
    if (dim < 0)
      return fail(what + " has a negative size");
    if (dim == 0)
      empty = true;
    else if (product > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / dim))
      return fail(what + " is larger than any memory");
    else
      product *= dim;
  }
  bytes = empty ? 0 : product;
  return true;
}

bool Checker::tensors(const tiny_plan_table &list, const char *what, std::vector<uint64_t> &bytes) {
  if (!table<tiny_plan_tensor>(list, what))
    return false;
  for (uint64_t i = 0; i < list.count; ++i) {
    const tiny_plan_tensor &tensor = records<tiny_plan_tensor>(list)[i];
    if (!text(tensor.name, "the name of a tensor") ||
        !tensorType(tensor.element, tensor.shape, what + (" " + std::to_string(i)),
                    bytes.emplace_back()))
      return false;
  }
  return true;
}

/// A result lies in a donated argument of its size, and nowhere else does another one.
bool Checker::donors() {
  std::vector<bool> taken(inputBytes.size());
  for (uint64_t i = 0; i < inputBytes.size(); ++i)
    if (records<tiny_plan_tensor>(plan->inputs)[i].donor > 1)
      return fail("input " + std::to_string(i) + " is neither donated nor kept");
  for (uint64_t i = 0; i < outputBytes.size(); ++i) {
    uint32_t donor = records<tiny_plan_tensor>(plan->outputs)[i].donor;
    if (donor == 0)
      continue;
    if (donor > inputBytes.size() || taken[donor - 1] ||
        records<tiny_plan_tensor>(plan->inputs)[donor - 1].donor != 1 ||
        inputBytes[donor - 1] != outputBytes[i])
      return fail("output " + std::to_string(i) + " cannot lie in input " +
                  std::to_string(donor - 1));
    taken[donor - 1] = true;
  }
  return true;
}

bool Checker::buffer(const tiny_plan_buffer &buffer, const std::string &what) {
  uint64_t limit = 0;
  uint64_t count = 1;
  switch (buffer.segment) {
  case TINY_SEGMENT_ARGUMENT:
    count = inputBytes.size();
    limit = buffer.index < count ? inputBytes[buffer.index] : 0;
    break;
  case TINY_SEGMENT_RESULT:
    count = outputBytes.size();
    limit = buffer.index < count ? outputBytes[buffer.index] : 0;
    break;
  case TINY_SEGMENT_CONSTANTS:
    limit = plan->constants_bytes;
    break;
  case TINY_SEGMENT_STATE:
    limit = plan->state_bytes;
    break;
  case TINY_SEGMENT_WORKSPACE:
    limit = plan->workspace_bytes;
    break;
  default:
    return fail(what + " is in the unknown segment " + std::to_string(buffer.segment));
  }
  std::string segment = tinyrt::name(static_cast<Segment>(buffer.segment));
  if (buffer.index >= count)
    return fail(what + " names " + segment + " " + std::to_string(buffer.index) +
                ", and there are " + std::to_string(count));
  if (buffer.offset > limit || buffer.bytes > limit - buffer.offset)
    return fail(what + " ends at byte " + std::to_string(buffer.offset) + " + " +
                std::to_string(buffer.bytes) + " of " + segment + ", which has " +
                std::to_string(limit));
  return true;
}

bool Checker::launch(const tiny_plan_launch &launch, const std::string &what) {
  if (launch.kernel >= plan->kernels.count)
    return fail(what + " names kernel " + std::to_string(launch.kernel) + " of " +
                std::to_string(plan->kernels.count));
  uint64_t groups = 1;
  for (uint32_t size : launch.grid) {
    if (size == 0)
      return fail(what + " has an empty grid");
    if (groups > std::numeric_limits<int64_t>::max() / size)
      return fail(what + " has more workgroups than can be counted");
    groups *= size;
  }
  if (launch.first_buffer > plan->buffers.count ||
      launch.num_buffers > plan->buffers.count - launch.first_buffer)
    return fail(what + " names buffers outside of the table");
  return text(launch.label, "the label of a launch");
}

bool Checker::checkOp(const tiny_plan_check &check, const std::string &what) {
  uint64_t bytes = 0;
  if (check.kind > 1)
    return fail(what + " is of the unknown kind " + std::to_string(check.kind));
  if (!tensorType(check.element, check.shape, what, bytes) || !buffer(check.actual, what) ||
      !buffer(check.expected, what) || !text(check.location, "the location of a check"))
    return false;
  if (check.actual.bytes != bytes || check.expected.bytes != bytes)
    return fail(what + " compares buffers that do not have the size of its type");
  return true;
}

bool Checker::check() {
  if (size < sizeof(tiny_plan))
    return fail("it has " + std::to_string(size) + " bytes, less than a header");
  if (reinterpret_cast<uintptr_t>(base) % 8 != 0)
    return fail("it is not aligned to 8 bytes");
  plan = reinterpret_cast<const tiny_plan *>(base);
  if (plan->magic != TINY_PLAN_MAGIC)
    return fail("it does not begin with the magic number (or has the other byte order)");
  if (plan->version != TINY_PLAN_VERSION)
    return fail("it has version " + std::to_string(plan->version) + ", and this program reads " +
                std::to_string(TINY_PLAN_VERSION));
  if (plan->total_bytes != size)
    return fail("it says " + std::to_string(plan->total_bytes) + " bytes, and there are " +
                std::to_string(size));
  // Sizes that no sum of ours can overflow.
  constexpr uint64_t most = uint64_t(1) << 62;
  if (plan->constants_bytes > most || plan->state_bytes > most || plan->workspace_bytes > most)
    return fail("a segment is larger than any memory");

  if (!text(plan->entry, "the name of the entry") || !tensors(plan->inputs, "input", inputBytes) ||
      !tensors(plan->outputs, "output", outputBytes) || !donors() ||
      !table<tiny_plan_kernel>(plan->kernels, "kernel") ||
      !table<tiny_plan_buffer>(plan->buffers, "buffer") ||
      !table<tiny_plan_launch>(plan->launches, "launch") ||
      !table<tiny_plan_check>(plan->checks, "check"))
    return false;
  for (uint64_t i = 0; i < plan->kernels.count; ++i) {
    const tiny_plan_kernel &kernel = records<tiny_plan_kernel>(plan->kernels)[i];
    if (!text(kernel.name, "the name of a kernel"))
      return false;
    if (kernel.name.count == 0 || !kernel.block[0] || !kernel.block[1] || !kernel.block[2])
      return fail("kernel " + std::to_string(i) + " has no name or an empty block");
  }
  for (uint64_t i = 0; i < plan->buffers.count; ++i)
    if (!buffer(records<tiny_plan_buffer>(plan->buffers)[i], "buffer " + std::to_string(i)))
      return false;
  for (uint64_t i = 0; i < plan->launches.count; ++i)
    if (!launch(records<tiny_plan_launch>(plan->launches)[i], "launch " + std::to_string(i)))
      return false;
  for (uint64_t i = 0; i < plan->checks.count; ++i)
    if (!checkOp(records<tiny_plan_check>(plan->checks)[i], "check " + std::to_string(i)))
      return false;
  return true;
}

bool PlanView::open(const void *data, size_t size, PlanView &view, std::string &error) {
  if (!Checker(data, size, error).check())
    return false;
  view.plan = static_cast<const tiny_plan *>(data);
  return true;
}

//===----------------------------------------------------------------------===//
// Plan
//===----------------------------------------------------------------------===//

bool Plan::load(const void *data, size_t size, Plan &plan, std::string &error) {
  std::vector<uint64_t> words((size + 7) / 8);
  if (size)
    std::memcpy(words.data(), data, size);
  PlanView view;
  // A size that is no multiple of 8 disagrees with the header, whose size always is one.
  if (!PlanView::open(words.data(), size, view, error))
    return false;
  plan.words = std::move(words);
  plan.planView = view;
  return true;
}

void Plan::setLocalBytes(size_t kernel, uint32_t bytes) {
  char *table = reinterpret_cast<char *>(words.data()) + planView.header().kernels.offset;
  reinterpret_cast<tiny_plan_kernel *>(table)[kernel].local_bytes = bytes;
}

Plan &Plan::operator=(const Plan &other) {
  if (this == &other)
    return *this;
  words = other.words;
  planView = PlanView();
  std::string error;
  if (!words.empty())
    PlanView::open(words.data(), bytes(), planView, error); // the same bytes passed before
  return *this;
}

//===----------------------------------------------------------------------===//
// PlanBuilder
//===----------------------------------------------------------------------===//

void PlanBuilder::addInput(std::string name, TensorType type, bool donated) {
  inputs.push_back({std::move(name), std::move(type), donated});
}

void PlanBuilder::addOutput(std::string name, TensorType type, uint32_t donor) {
  outputs.push_back({std::move(name), std::move(type), donor});
}

uint32_t PlanBuilder::addKernel(const std::string &name, std::array<uint32_t, 3> block,
                                uint32_t localBytes) {
  auto [place, isNew] = kernelNumbers.try_emplace(name, static_cast<uint32_t>(kernels.size()));
  if (isNew)
    kernels.push_back({name, block, localBytes});
  return place->second;
}

void PlanBuilder::addLaunch(uint32_t kernel, std::array<uint32_t, 3> grid,
                            const std::vector<Buffer> &launchBuffers, std::string label,
                            LaunchCost cost) {
  if (label.empty() && kernel < kernels.size())
    label = kernels[kernel].name;
  launches.push_back({kernel, grid, static_cast<uint32_t>(buffers.size()),
                      static_cast<uint32_t>(launchBuffers.size()), std::move(label), cost});
  buffers.insert(buffers.end(), launchBuffers.begin(), launchBuffers.end());
}

void PlanBuilder::addExpectEq(TensorType type, Buffer actual, Buffer expected,
                              std::string location) {
  checks.push_back({0, std::move(type), actual, expected, 0.0, 0.0, std::move(location)});
}

void PlanBuilder::addExpectClose(TensorType type, Buffer actual, Buffer expected, double rtol,
                                 double atol, std::string location) {
  checks.push_back({1, std::move(type), actual, expected, rtol, atol, std::move(location)});
}

namespace {
/// Appends tables to growing bytes.
class Layout {
public:
  template <typename T> tiny_plan_table table(const std::vector<T> &records) {
    return append(records.data(), records.size(), records.size() * sizeof(T));
  }
  tiny_plan_table text(const std::string &text) {
    // What follows a zero byte could not be read back.
    size_t length = std::strlen(text.c_str());
    return append(text.c_str(), length, length + 1);
  }
  tiny_plan_table append(const void *data, uint64_t count, size_t size) {
    tiny_plan_table table = {bytes.size(), count};
    bytes.resize((bytes.size() + size + 7) / 8 * 8);
    if (size)
      std::memcpy(bytes.data() + table.offset, data, size);
    return table;
  }
  std::vector<char> bytes;
};
} // namespace

bool PlanBuilder::finish(Plan &plan, std::string &error) const {
  auto record = [](const Buffer &buffer) {
    return tiny_plan_buffer{static_cast<uint32_t>(buffer.segment), buffer.index, buffer.offset,
                            buffer.bytes};
  };
  tiny_plan header = {};
  Layout layout;
  layout.bytes.resize(sizeof(header));
  header.magic = TINY_PLAN_MAGIC;
  header.version = TINY_PLAN_VERSION;
  header.constants_bytes = constantsBytes;
  header.state_bytes = stateBytes;
  header.workspace_bytes = workspaceBytes;
  header.entry = layout.text(entry);

  std::vector<tiny_plan_kernel> kernelRecords;
  for (const Kernel &kernel : kernels)
    kernelRecords.push_back({layout.text(kernel.name),
                             {kernel.block[0], kernel.block[1], kernel.block[2]},
                             kernel.localBytes});
  header.kernels = layout.table(kernelRecords);

  std::vector<tiny_plan_launch> launchRecords;
  for (const Launch &launch : launches)
    launchRecords.push_back({launch.kernel,
                             {launch.grid[0], launch.grid[1], launch.grid[2]},
                             launch.firstBuffer,
                             launch.numBuffers,
                             layout.text(launch.label),
                             launch.cost.flops,
                             launch.cost.bytesRead,
                             launch.cost.bytesWritten});
  header.launches = layout.table(launchRecords);

  std::vector<tiny_plan_buffer> bufferRecords;
  for (const Buffer &buffer : buffers)
    bufferRecords.push_back(record(buffer));
  header.buffers = layout.table(bufferRecords);

  auto tensorTable = [&](const std::vector<NamedTensor> &tensors) {
    std::vector<tiny_plan_tensor> records;
    for (const NamedTensor &tensor : tensors)
      records.push_back({layout.text(tensor.name), layout.table(tensor.type.shape),
                         static_cast<uint32_t>(tensor.type.element), tensor.donor});
    return layout.table(records);
  };
  header.inputs = tensorTable(inputs);
  header.outputs = tensorTable(outputs);

  std::vector<tiny_plan_check> checkRecords;
  for (const Check &check : checks)
    checkRecords.push_back({check.kind, static_cast<uint32_t>(check.type.element),
                            record(check.actual), record(check.expected),
                            layout.table(check.type.shape), layout.text(check.location), check.rtol,
                            check.atol});
  header.checks = layout.table(checkRecords);

  header.total_bytes = layout.bytes.size();
  std::memcpy(layout.bytes.data(), &header, sizeof(header));
  return Plan::load(layout.bytes.data(), layout.bytes.size(), plan, error);
}
