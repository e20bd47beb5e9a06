//===- BindGrid.cpp - a GPU's kernels ask for their place in the grid -----===//
//
// On a GPU the place is in registers that LLVM reads by intrinsics. What it gets
// told about their range decides what an address costs: an offset that is known to
// be neither negative nor longer than 32 bits needs one addition, and any other
// one a chain of 64-bit arithmetic in every lane.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_BINDGRIDPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static constexpr gpu::Dimension kDimensions[] = {gpu::Dimension::x, gpu::Dimension::y,
                                                 gpu::Dimension::z};

/// The most workgroups along each dimension in any launch; 0 where a kernel is not launched.
using Grid = std::array<int64_t, 3>;

/// Replaces the coordinates of `kernel`, its last three arguments.
static void bindCoordinates(func::FuncOp kernel, const Grid &grid) {
  Block &body = kernel.getBody().front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  unsigned first = kernel.getNumArguments() - grid.size();
  llvm::BitVector erased(kernel.getNumArguments());
  for (auto [i, dimension] : llvm::enumerate(kDimensions)) {
    Value id;
    if (grid[i] == 1)
      id = arith::ConstantIndexOp::create(b, kernel.getLoc(), 0);
    else
      id = gpu::BlockIdOp::create(b, kernel.getLoc(), b.getIndexType(), dimension,
                                  grid[i] ? b.getIndexAttr(grid[i]) : IntegerAttr());
    body.getArgument(first + i).replaceAllUsesWith(id);
    erased.set(first + i);
  }
  (void)kernel.eraseArguments(erased);
}

static void bindLanes(func::FuncOp kernel, int64_t lanes) {
  IRRewriter rewriter(kernel.getContext());
  kernel.walk([&](gpu::ThreadIdOp op) {
    if (op.getDimension() == gpu::Dimension::x && lanes > 1) {
      op.setUpperBoundAttr(rewriter.getIndexAttr(lanes));
      return;
    }
    rewriter.setInsertionPoint(op);
    rewriter.replaceOpWithNewOp<arith::ConstantIndexOp>(op, 0);
  });
}

/// LLVM reads beyond what is asked for up to the alignment that it knows: so that is told only as
/// far as the size of a buffer is a multiple of it, and nothing is read behind the end.
static void annotateBuffers(func::FuncOp kernel, int64_t alignment) {
  Builder b(kernel.getContext());
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i) {
    auto buffer = cast<MemRefType>(kernel.getArgumentTypes()[i]);
    int64_t bytes = buffer.getNumElements() * ((buffer.getElementTypeBitWidth() + 7) / 8);
    int64_t known = bytes > 0 ? std::min(alignment, bytes & -bytes) : alignment;
    kernel.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(known));
    kernel.setArgAttr(i, LLVM::LLVMDialect::getNoUndefAttrName(), b.getUnitAttr());
    if (bytes > 0)
      kernel.setArgAttr(i, LLVM::LLVMDialect::getDereferenceableAttrName(),
                        b.getI64IntegerAttr(bytes));
  }
}

namespace {
struct BindGridPass : tiny::impl::BindGridPassBase<BindGridPass> {
  using BindGridPassBase::BindGridPassBase;

  void runOnOperation() override {
    llvm::DenseMap<StringAttr, Grid> grids;
    getOperation().walk([&](LaunchOp launch) {
      Grid &grid = grids.try_emplace(launch.getKernelAttr().getAttr(), Grid{}).first->second;
      for (auto [most, size] : llvm::zip_equal(grid, *launch.getGrid()))
        most = std::max(most, size);
    });
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      if (!kernel->hasAttr("tiny.kernel"))
        continue;
      auto lanes = kernel->getAttrOfType<IntegerAttr>(kBlockAttrName);
      if (!lanes) {
        kernel.emitOpError("has no '") << kBlockAttrName << "', the lanes of a workgroup";
        return signalPassFailure();
      }
      bindCoordinates(kernel, grids.lookup(kernel.getNameAttr()));
      bindLanes(kernel, lanes.getInt());
      annotateBuffers(kernel, alignment);
    }
  }
};
} // namespace
