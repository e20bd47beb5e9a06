//===- LocalMemory.cpp - lay the locals of a kernel over one another ------===//
//
// LLVM gives each local a place of its own, and knows then that accesses of different
// ones never meet: so they are laid over one another only where they do not fit.
//
//===----------------------------------------------------------------------===//

#include "LocalMemory.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

/// Of every local: the widest access of a lane.
static constexpr int64_t alignment = 16;

static int64_t bytesOf(memref::AllocaOp local) {
  MemRefType type = local.getType();
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  return llvm::alignTo(llvm::divideCeil(bits, 8), alignment);
}

/// The workgroup loops that use `local`; null stands for what is outside of all loops, which is one
/// more workgroup.
static SmallVector<Operation *> workgroupsOf(memref::AllocaOp local) {
  llvm::SmallPtrSet<Operation *, 4> result;
  SmallVector<Value> values = {local};
  for (size_t i = 0; i < values.size(); ++i)
    for (Operation *user : values[i].getUsers()) {
      if (isa<ViewLikeOpInterface>(user)) {
        llvm::append_range(values, user->getResults());
        continue;
      }
      Operation *loop = nullptr;
      for (Operation *parent = user; parent; parent = parent->getParentOp())
        if (isa<scf::ForallOp>(parent))
          loop = parent;
      result.insert(loop);
    }
  return SmallVector<Operation *>(result.begin(), result.end());
}

LogicalResult mlir::tiny::fitLocals(func::FuncOp function, int64_t maxBytes) {
  SmallVector<memref::AllocaOp> locals;
  int64_t all = 0;
  function.walk([&](memref::AllocaOp local) {
    locals.push_back(local);
    all += bytesOf(local);
  });
  if (all <= maxBytes)
    return success();

  llvm::DenseMap<Operation *, int64_t> used; // by workgroup loop
  SmallVector<int64_t> offsets;
  int64_t total = 0;
  for (memref::AllocaOp local : locals) {
    SmallVector<Operation *> workgroups = workgroupsOf(local);
    int64_t offset = 0;
    for (Operation *loop : workgroups)
      offset = std::max(offset, used[loop]);
    for (Operation *loop : workgroups)
      used[loop] = offset + bytesOf(local);
    offsets.push_back(offset);
    total = std::max(total, offset + bytesOf(local));
  }
  if (total > maxBytes)
    return function.emitOpError() << "is a kernel whose locals need " << total
                                  << " bytes per workgroup; there are " << maxBytes;

  OpBuilder builder(function.getBody());
  auto type = MemRefType::get({total}, builder.getI8Type(), MemRefLayoutAttrInterface(),
                              locals.front().getType().getMemorySpace());
  Value memory = memref::AllocaOp::create(builder, function.getLoc(), type,
                                          builder.getI64IntegerAttr(alignment));
  for (auto [local, offset] : llvm::zip(locals, offsets)) {
    builder.setInsertionPoint(local);
    Value start = arith::ConstantIndexOp::create(builder, local.getLoc(), offset);
    Value view = memref::ViewOp::create(builder, local.getLoc(), local.getType(), memory, start,
                                        /*sizes=*/ValueRange());
    local->replaceAllUsesWith(ValueRange(view));
    local.erase();
  }
  return success();
}
