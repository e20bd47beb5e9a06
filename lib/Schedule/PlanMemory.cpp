//===- PlanMemory.cpp - give every buffer its slot ------------------------===//
//
// One arena with offsets known at compile time. First it is decided which values
// share a buffer: what a launch updates in place lies where the old value lies, and
// an elementwise result may take over the buffer of an input that nobody needs any
// more. An argument that the caller gives away is such a buffer, too. Then
// MemoryPlanner places the others, by when they are alive.
//
//===----------------------------------------------------------------------===//

#include "KernelAccess.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/MemoryPlanner.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static int64_t bytesOf(Value value) {
  return storageBytes(cast<RankedTensorType>(value.getType()));
}

namespace {
/// What one or more values lie in, one after the other.
struct Buffer {
  BufferInterval interval;
  int64_t result = -1;   ///< The result of the function that it is, or -1.
  int64_t argument = -1; ///< The argument that the caller has given away, or -1.
};

/// The buffers of a host function.
class HostBuffers {
public:
  HostBuffers(ModuleOp module, func::FuncOp function);
  /// Gives each launch result its buffer.
  LogicalResult collect();

  std::vector<Buffer> buffers;
  /// Number of the buffer, by launch result or donated argument.
  llvm::MapVector<Value, unsigned> bufferOf;

private:
  LogicalResult addUpdate(LaunchOp launch, OpResult value, Value init);
  void add(LaunchOp launch, OpResult value);
  std::optional<unsigned> dyingBuffer(LaunchOp launch, OpResult value);
  bool mayTakeOver(LaunchOp launch, OpResult value, unsigned buffer);
  int64_t lastUse(Value value) const;
  /// `value` lies in `buffer` too, which is alive for longer then.
  void join(Value value, unsigned buffer);

  SymbolTable symbols;
  Block &block;
  llvm::DenseMap<Operation *, int64_t> positions;
  llvm::DenseMap<Value, int64_t> results; ///< The function's results that are launch results.
  llvm::DenseMap<StringAttr, SmallVector<KernelAccess>> accesses; ///< By kernel.
};

struct PlanMemoryPass : public tiny::impl::PlanMemoryPassBase<PlanMemoryPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

HostBuffers::HostBuffers(ModuleOp module, func::FuncOp function)
    : symbols(module), block(function.getBody().front()) {
  for (Operation &op : block)
    positions[&op] = positions.size();
  for (auto [index, value] : llvm::enumerate(block.getTerminator()->getOperands()))
    results[value] = index;
  for (BlockArgument argument : block.getArguments()) {
    if (!function.getArgAttr(argument.getArgNumber(), kDonatedAttrName))
      continue;
    unsigned number = buffers.size();
    buffers.push_back({{bytesOf(argument), 0, 0}, -1, argument.getArgNumber()});
    join(argument, number);
  }
}

int64_t HostBuffers::lastUse(Value value) const {
  int64_t last = value.getDefiningOp() ? positions.lookup(value.getDefiningOp()) : 0;
  for (Operation *user : value.getUsers())
    // Expectations are looked at when all is done.
    last = std::max<int64_t>(last, isa<LaunchOp>(user) ? positions.lookup(user) : positions.size());
  return last;
}

void HostBuffers::join(Value value, unsigned buffer) {
  bufferOf[value] = buffer;
  BufferInterval &interval = buffers[buffer].interval;
  interval.last = std::max(interval.last, lastUse(value));
  if (auto found = results.find(value); found != results.end())
    buffers[buffer].result = found->second;
}

/// `value` is `init` with some elements replaced: one buffer.
LogicalResult HostBuffers::addUpdate(LaunchOp launch, OpResult value, Value init) {
  auto found = bufferOf.find(init);
  if (found == bufferOf.end())
    return launch.emitOpError() << "updates "
                                << (isa<BlockArgument>(init) ? "an argument" : "a constant")
                                << " of the program in place; only what a launch has made can be, "
                                   "unless the caller gives its buffer away (tiny.donated)";
  if (lastUse(init) == static_cast<int64_t>(positions.size()))
    return launch.emitOpError() << "updates a value in place that is needed as it was when the "
                                   "program has ended";
  join(value, found->second);
  return success();
}

/// Whether the kernel of `launch` may write `value` over what its inputs read from `buffer`.
bool HostBuffers::mayTakeOver(LaunchOp launch, OpResult value, unsigned buffer) {
  auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
  if (!kernel || kernel.isExternal())
    return false;
  // An online reduction reads a whole row of values for every result.
  if (!kernel.getOps<OnlineReduceOp>().empty())
    return false;
  auto [found, isNew] = accesses.try_emplace(kernel.getSymNameAttr());
  if (isNew)
    if (auto collected = collectAccesses(kernel); succeeded(collected))
      found->second = std::move(*collected);
  unsigned destination = launch.getInputs().size() + value.getResultNumber();
  for (auto [argument, input] : llvm::enumerate(launch.getInputs())) {
    auto other = bufferOf.find(input);
    if (other != bufferOf.end() && other->second == buffer &&
        !mayWriteInPlace(found->second, argument, destination))
      return false;
  }
  return true;
}

/// A buffer that nobody needs after `launch` and that `value` may lie in.
std::optional<unsigned> HostBuffers::dyingBuffer(LaunchOp launch, OpResult value) {
  for (Value input : launch.getInputs()) {
    auto found = bufferOf.find(input);
    if (found == bufferOf.end())
      continue;
    const Buffer &buffer = buffers[found->second];
    // Another result of this launch that lies there already has made it live longer, or is dead.
    bool isTaken = llvm::any_of(launch.getOutputs(), [&](Value other) {
      auto place = bufferOf.find(other);
      return place != bufferOf.end() && place->second == found->second;
    });
    if (buffer.interval.bytes == bytesOf(value) && buffer.result < 0 && !isTaken &&
        buffer.interval.last == positions.lookup(launch) &&
        mayTakeOver(launch, value, found->second))
      return found->second;
  }
  return std::nullopt;
}

void HostBuffers::add(LaunchOp launch, OpResult value) {
  std::optional<unsigned> buffer = dyingBuffer(launch, value);
  if (!buffer) {
    buffer = buffers.size();
    int64_t position = positions.lookup(launch);
    buffers.push_back({{bytesOf(value), position, position}, -1, -1});
  }
  join(value, *buffer);
}

LogicalResult HostBuffers::collect() {
  for (auto launch : block.getOps<LaunchOp>()) {
    // Updates have no choice, so they come first.
    for (OpResult value : launch->getOpResults())
      if (Value init = launch.getInitOf(value.getResultNumber()))
        if (failed(addUpdate(launch, value, init)))
          return failure();
    for (OpResult value : launch->getOpResults())
      if (!launch.getInitOf(value.getResultNumber()))
        add(launch, value);
  }
  return success();
}

void PlanMemoryPass::runOnOperation() {
  auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isExternal()) {
    getOperation().emitError() << "there is no function @" << entry << " to plan";
    return signalPassFailure();
  }
  MLIRContext *context = &getContext();
  Block &block = function.getBody().front();
  ValueRange results = block.getTerminator()->getOperands();

  int64_t constantsBytes = 0;
  for (ConstantOp constant : block.getOps<ConstantOp>()) {
    int64_t bytes = bytesOf(constant);
    if (auto index = llvm::find(results, constant.getResult()); index != results.end()) {
      // A result without elements.
      constant.setSlotAttr(
          SlotAttr::get(context, Segment::result, index - results.begin(), 0, bytes));
      continue;
    }
    constant.setSlotAttr(SlotAttr::get(context, Segment::constants, 0, constantsBytes, bytes));
    constantsBytes = llvm::alignTo(constantsBytes + bytes, alignment);
  }

  HostBuffers host(getOperation(), function);
  if (failed(host.collect()))
    return signalPassFailure();
  SmallVector<BufferInterval> arena;
  for (const Buffer &buffer : host.buffers)
    if (buffer.result < 0 && buffer.argument < 0)
      arena.push_back(buffer.interval);
  int64_t lowerBound = livenessLowerBound(arena, alignment);
  int64_t workspaceBytes = placeBuffers(arena, alignment);

  SmallVector<SlotAttr> slots;
  const BufferInterval *placed = arena.begin();
  for (const Buffer &buffer : host.buffers) {
    int64_t bytes = buffer.interval.bytes;
    slots.push_back(buffer.argument >= 0
                        ? SlotAttr::get(context, Segment::argument, buffer.argument, 0, bytes)
                    : buffer.result >= 0
                        ? SlotAttr::get(context, Segment::result, buffer.result, 0, bytes)
                        : SlotAttr::get(context, Segment::workspace, 0, placed++->offset, bytes));
  }
  Builder b(context);
  for (LaunchOp launch : block.getOps<LaunchOp>()) {
    SmallVector<Attribute> launchSlots;
    for (Value value : launch.getOutputs())
      launchSlots.push_back(slots[host.bufferOf[value]]);
    launch.setResultSlotsAttr(b.getArrayAttr(launchSlots));
  }
  function->setAttr("tiny.workspace_bytes", b.getI64IntegerAttr(workspaceBytes));
  function->setAttr("tiny.workspace_lower_bound", b.getI64IntegerAttr(lowerBound));
  function->setAttr("tiny.constants_bytes", b.getI64IntegerAttr(constantsBytes));
}
