//===- PartitionKernels.cpp - spread the kernels over modules -------------===//
//
// A module is what one thread lowers, optimises and emits. The largest kernels
// are placed first, each in the module that has least so far; the order within
// a module is that of the source, so equal programs give equal code.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_PARTITIONKERNELSPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static size_t countOps(Operation *op) {
  size_t count = 0;
  op->walk([&](Operation *) { ++count; });
  return count;
}

/// The part of each of `kernels`.
static SmallVector<unsigned> assignParts(ArrayRef<func::FuncOp> kernels, unsigned parts) {
  SmallVector<size_t> sizes =
      llvm::map_to_vector(kernels, [](Operation *op) { return countOps(op); });
  SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, kernels.size()));
  SmallVector<unsigned> result(kernels.size());
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : a < b;
  });
  SmallVector<size_t> loads(parts, 0);
  for (unsigned kernel : order) {
    result[kernel] = std::min_element(loads.begin(), loads.end()) - loads.begin();
    loads[result[kernel]] += sizes[kernel];
  }
  return result;
}

/// Copies the constants that the functions of `part` use from `source`.
static LogicalResult copyGlobals(ModuleOp source, ModuleOp part) {
  WalkResult walk = part.walk([&](memref::GetGlobalOp use) {
    if (part.lookupSymbol(use.getName()))
      return WalkResult::advance();
    auto global = source.lookupSymbol<memref::GlobalOp>(use.getName());
    if (!global || !global.getConstant()) {
      use.emitOpError("a kernel may use constants of its module only, and @")
          << use.getName() << " is none";
      return WalkResult::interrupt();
    }
    part.getBody()->getOperations().push_front(global.clone().getOperation());
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

namespace {
struct PartitionKernelsPass : tiny::impl::PartitionKernelsPassBase<PartitionKernelsPass> {
  using PartitionKernelsPassBase::PartitionKernelsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("tiny.kernel"))
        kernels.push_back(function);
    unsigned count = std::clamp<size_t>(parts, 1, std::max<size_t>(kernels.size(), 1));

    SmallVector<ModuleOp> modules;
    for (unsigned i = 0; i < count; ++i)
      modules.push_back(ModuleOp::create(module.getLoc(), "part_" + std::to_string(i)));
    for (auto [kernel, part] : llvm::zip_equal(kernels, assignParts(kernels, count))) {
      kernel->remove();
      modules[part].push_back(kernel);
    }
    LogicalResult copied = success();
    for (ModuleOp part : modules)
      if (failed(copyGlobals(module, part)))
        copied = failure();
    module.getBody()->clear();
    for (ModuleOp part : modules)
      module.push_back(part);
    if (failed(copied))
      signalPassFailure();
  }
};
} // namespace
