//===- PlanMemory.cpp - give every buffer its slot ------------------------===//
//
// One arena with offsets known at compile time. Placement is greedy by size: the
// largest buffer first, each at the lowest offset at which it overlaps no placed
// buffer that is alive at the same time. This is within a few percent of the
// liveness bound on real networks and needs no solver.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>

namespace mlir::tiny {
#define GEN_PASS_DEF_PLANMEMORYPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// A launch result that lies in the arena, alive from `first` to `last` (positions of host ops).
struct Buffer {
  Value value;
  int64_t bytes, first, last;
  int64_t offset = 0;
};

struct PlanMemoryPass : public tiny::impl::PlanMemoryPassBase<PlanMemoryPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

/// Places every buffer; returns the size of the arena.
static int64_t place(SmallVectorImpl<Buffer> &buffers, int64_t alignment) {
  SmallVector<Buffer *> order;
  for (Buffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::sort(order, [](Buffer *a, Buffer *b) {
    return std::tie(b->bytes, a->first) < std::tie(a->bytes, b->first);
  });
  SmallVector<Buffer *> placed; // by offset
  int64_t size = 0;
  for (Buffer *buffer : order) {
    int64_t offset = 0;
    for (Buffer *other : placed) {
      if (other->last < buffer->first || buffer->last < other->first)
        continue;
      if (offset + buffer->bytes <= other->offset)
        break; // fits into the gap before it
      offset = std::max<int64_t>(offset, llvm::alignTo(other->offset + other->bytes, alignment));
    }
    buffer->offset = offset;
    size = std::max<int64_t>(size, offset + buffer->bytes);
    placed.insert(llvm::upper_bound(placed, buffer,
                                    [](Buffer *a, Buffer *b) { return a->offset < b->offset; }),
                  buffer);
  }
  return llvm::alignTo(size, alignment);
}

void PlanMemoryPass::runOnOperation() {
  auto function = getOperation().lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isExternal()) {
    getOperation().emitError() << "there is no function @" << entry << " to plan";
    return signalPassFailure();
  }
  MLIRContext *context = &getContext();
  Block &block = function.getBody().front();
  Operation *terminator = block.getTerminator();
  llvm::DenseMap<Operation *, int64_t> positions;
  for (Operation &op : block)
    positions[&op] = positions.size();
  int64_t end = positions.size();

  llvm::DenseMap<Value, SlotAttr> slots;
  for (auto [index, value] : llvm::enumerate(terminator->getOperands()))
    slots[value] = SlotAttr::get(context, Segment::result, index, 0,
                                 storageBytes(cast<RankedTensorType>(value.getType())));

  int64_t constantsBytes = 0;
  for (ConstantOp constant : block.getOps<ConstantOp>()) {
    if (SlotAttr slot = slots.lookup(constant)) { // a result without elements
      constant.setSlotAttr(slot);
      continue;
    }
    int64_t bytes = storageBytes(constant.getType());
    constant.setSlotAttr(SlotAttr::get(context, Segment::constants, 0, constantsBytes, bytes));
    constantsBytes = llvm::alignTo(constantsBytes + bytes, alignment);
  }

  SmallVector<Buffer> buffers;
  for (LaunchOp launch : block.getOps<LaunchOp>())
    for (Value value : launch.getOutputs()) {
      if (slots.contains(value))
        continue;
      int64_t first = positions[launch], last = first;
      for (Operation *user : value.getUsers())
        // Expectations are looked at when all is done.
        last = std::max(last, isa<LaunchOp>(user) ? positions[user] : end);
      buffers.push_back(
          {value, storageBytes(cast<RankedTensorType>(value.getType())), first, last});
    }
  int64_t workspaceBytes = place(buffers, alignment);
  for (Buffer &buffer : buffers)
    slots[buffer.value] =
        SlotAttr::get(context, Segment::workspace, 0, buffer.offset, buffer.bytes);

  Builder b(context);
  for (LaunchOp launch : block.getOps<LaunchOp>()) {
    SmallVector<Attribute> results;
    for (Value value : launch.getOutputs())
      results.push_back(slots[value]);
    launch.setResultSlotsAttr(b.getArrayAttr(results));
  }
  function->setAttr("tiny.workspace_bytes", b.getI64IntegerAttr(workspaceBytes));
  function->setAttr("tiny.constants_bytes", b.getI64IntegerAttr(constantsBytes));
}
