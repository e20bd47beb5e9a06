//===- HostPlan.cpp - from the host function to a launch plan -------------===//
//
// The host function is a straight list, and every value in it has a slot: this
// is a change of notation. Anything it cannot note down is an error, since
// nobody looks at the function again.
//
//===----------------------------------------------------------------------===//

#include "HostPlan.h"

#include "Tiny/IR/ConstantLayout.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/Session.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tiny;
using Buffer = tinyrt::PlanBuilder::Buffer;

static_assert(static_cast<uint32_t>(Segment::workspace) ==
                      static_cast<uint32_t>(tinyrt::Segment::workspace) &&
                  static_cast<uint32_t>(Segment::constants) ==
                      static_cast<uint32_t>(tinyrt::Segment::constants),
              "the dialect and the runtime count segments alike");

static tinyrt::ElementType elementTypeOf(Type type) {
  using E = tinyrt::ElementType;
  if (isa<FloatType>(type))
    return type.isF64() ? E::f64 : type.isF32() ? E::f32 : type.isF16() ? E::f16 : E::bf16;
  bool isUnsigned = type.isUnsignedInteger();
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return E::i1;
  case 8:
    return isUnsigned ? E::ui8 : E::i8;
  case 16:
    return isUnsigned ? E::ui16 : E::i16;
  case 32:
    return isUnsigned ? E::ui32 : E::i32;
  default:
    return isUnsigned ? E::ui64 : E::i64;
  }
}

static tinyrt::TensorType tensorTypeOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return {elementTypeOf(tensor.getElementType()),
          std::vector<int64_t>(tensor.getShape().begin(), tensor.getShape().end())};
}

/// Where `value` lies; `user` is what the diagnostic is about.
static FailureOr<Buffer> bufferOf(Value value, Operation *user) {
  SlotAttr slot = slotOf(value);
  if (!slot)
    return user->emitOpError("uses ") << value << ", which has no slot";
  return Buffer{static_cast<tinyrt::Segment>(slot.getSegment()),
                static_cast<uint32_t>(slot.getIndex()), static_cast<uint64_t>(slot.getOffset()),
                static_cast<uint64_t>(slot.getBytes())};
}

/// "file:line:column", or as much of it as there is.
static std::string locationText(Location loc) {
  std::string text;
  if (auto file = loc->findInstanceOf<FileLineColLoc>()) {
    llvm::raw_string_ostream(text)
        << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn();
    return text;
  }
  llvm::raw_string_ostream(text) << loc;
  return text;
}

static std::string nameOf(DictionaryAttr attributes) {
  auto name = attributes ? attributes.getAs<StringAttr>("tiny.name") : StringAttr();
  return name ? name.str() : "";
}

//===----------------------------------------------------------------------===//
// The ops of a host function
//===----------------------------------------------------------------------===//

/// A launch as the plan notes it: bytes that are only bounded are not known.
static tinyrt::LaunchCost costOf(const LaunchCount &count) {
  tinyrt::LaunchCost cost;
  cost.flops = count.ops.flops();
  if (count.read.exact)
    cost.bytesRead = count.read.bytes;
  if (count.written.exact)
    cost.bytesWritten = count.written.bytes;
  return cost;
}

static LogicalResult addLaunch(tinyrt::PlanBuilder &plan, LaunchOp launch,
                               tinyrt::LaunchCost cost) {
  std::optional<ArrayRef<int64_t>> grid = launch.getGrid();
  if (!grid || grid->size() != 3)
    return launch.emitOpError("has no grid; the Tile stage sets it");
  std::vector<Buffer> buffers;
  for (ValueRange values : {ValueRange(launch.getInputs()), ValueRange(launch.getOutputs())})
    for (Value value : values) {
      FailureOr<Buffer> buffer = bufferOf(value, launch);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
  // A workgroup of a GPU is as many lanes as its kernel says; on a CPU it is one thread.
  auto kernel = launch->getParentOfType<ModuleOp>().lookupSymbol(launch.getKernel());
  auto block = kernel ? kernel->getAttrOfType<IntegerAttr>(kBlockAttrName) : IntegerAttr();
  uint32_t lanes = block ? static_cast<uint32_t>(block.getInt()) : 1;
  plan.addLaunch(plan.addKernel(launch.getKernel().str(), {lanes, 1, 1}),
                 {static_cast<uint32_t>((*grid)[0]), static_cast<uint32_t>((*grid)[1]),
                  static_cast<uint32_t>((*grid)[2])},
                 buffers, /*label=*/"", cost);
  return success();
}

template <typename Op> static LogicalResult addExpect(tinyrt::PlanBuilder &plan, Op op) {
  FailureOr<Buffer> actual = bufferOf(op.getActual(), op);
  FailureOr<Buffer> expected = bufferOf(op.getExpected(), op);
  if (failed(actual) || failed(expected))
    return failure();
  tinyrt::TensorType type = tensorTypeOf(op.getActual().getType());
  if constexpr (std::is_same_v<Op, ExpectEqOp>)
    plan.addExpectEq(type, *actual, *expected, locationText(op.getLoc()));
  else
    plan.addExpectClose(type, *actual, *expected, op.getRtol().convertToDouble(),
                        op.getAtol().convertToDouble(), locationText(op.getLoc()));
  return success();
}

/// Result i must be the only thing in result segment i, since the caller hands in that buffer, or
/// lie in an argument that the caller gives away.
static LogicalResult addReturn(tinyrt::PlanBuilder &plan, func::ReturnOp op) {
  auto entry = op->getParentOfType<func::FuncOp>();
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    SlotAttr slot = slotOf(value);
    bool donated = slot && slot.getSegment() == Segment::argument &&
                   entry.getArgAttr(slot.getIndex(), kDonatedAttrName);
    if (!slot || slot.getOffset() != 0 ||
        (!donated &&
         (slot.getSegment() != Segment::result || slot.getIndex() != static_cast<int64_t>(i))))
      return op.emitOpError("result ")
             << i << " does not lie in its own result buffer, but in " << slot;
    plan.addOutput(nameOf(entry.getResultAttrDict(i)), tensorTypeOf(value.getType()),
                   donated ? slot.getIndex() + 1 : 0);
  }
  return success();
}

static uint64_t bytesAttr(func::FuncOp entry, StringRef name) {
  auto attribute = entry->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : 0;
}

FailureOr<tinyrt::Plan> mlir::tiny::buildPlan(func::FuncOp entry, const ProgramCost *cost) {
  size_t numLaunches = llvm::range_size(entry.getOps<LaunchOp>()), number = 0;
  if (cost && cost->launches.size() != numLaunches)
    return entry.emitError("has ")
           << numLaunches << " launches, but " << cost->launches.size() << " were counted";
  tinyrt::PlanBuilder builder(entry.getName().str());
  builder.workspaceBytes = bytesAttr(entry, "tiny.workspace_bytes");
  builder.constantsBytes = bytesAttr(entry, "tiny.constants_bytes");
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    builder.addInput(nameOf(entry.getArgAttrDict(i)), tensorTypeOf(type),
                     bool(entry.getArgAttr(i, kDonatedAttrName)));
  for (Operation &op : entry.getBody().front()) {
    LogicalResult added =
        llvm::TypeSwitch<Operation *, LogicalResult>(&op)
            .Case([&](LaunchOp launch) {
              return addLaunch(builder, launch,
                               cost ? costOf(cost->kernels[cost->launches[number++]].each)
                                    : tinyrt::LaunchCost());
            })
            .Case<ExpectEqOp, ExpectCloseOp>([&](auto op) { return addExpect(builder, op); })
            .Case([&](func::ReturnOp op) { return addReturn(builder, op); })
            .Case([](ConstantOp) { return success(); })
            .Default([](Operation *op) {
              return op->emitOpError("is left in the host function, which holds constants, "
                                     "launches, expectations and a return");
            });
    if (failed(added))
      return failure();
  }
  tinyrt::Plan plan;
  std::string error;
  if (!builder.finish(plan, error))
    return entry.emitError("cannot make a launch plan: ") << error;
  return plan;
}

LogicalResult mlir::tiny::checkWork(func::FuncOp entry, const ProgramCost &cost, uint64_t maxFlops,
                                    uint64_t maxLaunches) {
  uint64_t launches = cost.launches.size(), flops = cost.total().ops.flops();
  if (maxLaunches && launches > maxLaunches)
    return entry.emitError("this program makes ")
           << launches << " launches, more than the limit of " << maxLaunches;
  if (maxFlops && flops > maxFlops)
    return entry.emitError("this program needs ")
           << flops << " floating point operations, more than the limit of " << maxFlops;
  return success();
}

LogicalResult mlir::tiny::checkMemory(func::FuncOp entry, const tinyrt::Plan &plan,
                                      uint64_t limit) {
  uint64_t total = tinyrt::memoryNeeded(plan.view());
  if (limit == 0 || total <= limit)
    return success();
  const tiny_plan &header = plan->header();
  uint64_t ends = total - header.constants_bytes - header.state_bytes - header.workspace_bytes;
  return entry.emitError("this program needs ")
         << total << " bytes (arguments and results " << ends << ", constants "
         << header.constants_bytes << ", state " << header.state_bytes << ", workspace "
         << header.workspace_bytes << "), more than the limit of " << limit << " bytes";
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// Writes the elements of `value` to `to`, which has room for `bytes` bytes.
static LogicalResult writeElements(ConstantOp op, ElementsAttr value, char *to, size_t bytes) {
  FailureOr<std::optional<ConstantLayout>> layout = layoutOf(op);
  if (failed(layout))
    return failure();
  auto copy = [&](ArrayRef<char> raw) {
    if (*layout)
      copyInLayout(**layout, bytes / value.getNumElements(), raw.data(), to);
    else
      std::memcpy(to, raw.data(), bytes);
    return success();
  };
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != bytes)
      return op.emitOpError("resource '")
             << resource.getRawHandle().getKey() << "' has " << (blob ? blob->getData().size() : 0)
             << " bytes; " << op.getType() << " needs " << bytes;
    return copy(blob->getData());
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return op.emitOpError("holds neither dense elements nor a dense resource");
  if (dense.getElementType().isInteger(1)) { // packed to bits in the attribute
    if (*layout)
      return op.emitOpError("of bits has a layout");
    for (bool element : dense.getValues<bool>())
      *to++ = element;
    return success();
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat())
    return copy(raw);
  for (size_t offset = 0; offset < bytes; offset += raw.size())
    std::memcpy(to + offset, raw.data(), raw.size());
  return success();
}

FailureOr<tinyrt::Tensor> mlir::tiny::packConstants(func::FuncOp entry, const tinyrt::Plan &plan) {
  uint64_t total = plan->header().constants_bytes;
  tinyrt::Tensor segment({tinyrt::ElementType::ui8, {static_cast<int64_t>(total)}});
  if (total == 0)
    return segment;
  std::memset(segment.data(), 0, total);
  for (auto constant : entry.getOps<ConstantOp>()) {
    SlotAttr slot = constant.getSlotAttr();
    if (!slot)
      return constant.emitOpError("has no slot");
    if (slot.getSegment() == Segment::result && slot.getBytes() == 0)
      continue; // a result without elements
    uint64_t bytes = storageBytes(constant.getType());
    if (slot.getSegment() != Segment::constants || uint64_t(slot.getBytes()) != bytes ||
        uint64_t(slot.getOffset()) + bytes > total)
      return constant.emitOpError("does not fit its slot ") << slot;
    if (failed(writeElements(constant, constant.getValue(), segment.as<char>() + slot.getOffset(),
                             bytes)))
      return failure();
  }
  return segment;
}
