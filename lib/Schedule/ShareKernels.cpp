//===- ShareKernels.cpp - one function for equal kernels ------------------===//
//
// A network repeats its blocks, and equal blocks become equal kernels: each is
// tiled, lowered and compiled once. Kernels are grouped by a hash of their
// structure and compared in full within a group, so the time is linear.
//
// Locations are not compared: two layers that compute the same never come from the
// same place. The function that stays keeps its own, that of the first layer;
// each launch keeps the location of its layer, and that is what a report shows.
//
//===----------------------------------------------------------------------===//

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_SHAREKERNELSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static StringRef kKernelAttr = "tiny.kernel";

namespace {
struct ShareKernelsPass : public tiny::impl::ShareKernelsPassBase<ShareKernelsPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

/// All attributes but the name.
static DictionaryAttr attributesOf(func::FuncOp function) {
  NamedAttrList attributes(function->getAttrDictionary());
  attributes.erase(SymbolTable::getSymbolAttrName());
  return attributes.getDictionary(function.getContext());
}

/// Equal for equal kernels. Operands are left out: which op, of which type, with which attributes,
/// in which order tells almost all kernels apart that differ.
static llvm::hash_code structureHash(func::FuncOp function, DictionaryAttr attributes) {
  llvm::hash_code hash = mlir::hash_value(attributes);
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    hash = llvm::hash_combine(
        hash, OperationEquivalence::computeHash(op, OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

void ShareKernelsPass::runOnOperation() {
  struct Kernel {
    func::FuncOp function;
    DictionaryAttr attributes;
  };
  llvm::DenseMap<size_t, SmallVector<Kernel, 1>> kept;
  llvm::DenseMap<StringAttr, FlatSymbolRefAttr> replacements;
  for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
    if (!function->hasAttr(kKernelAttr) || function.isExternal() || !function.isPrivate())
      continue;
    DictionaryAttr attributes = attributesOf(function);
    SmallVector<Kernel, 1> &candidates = kept[structureHash(function, attributes)];
    auto *equal = llvm::find_if(candidates, [&](Kernel &candidate) {
      return candidate.attributes == attributes &&
             OperationEquivalence::isRegionEquivalentTo(&candidate.function.getBody(),
                                                        &function.getBody(),
                                                        OperationEquivalence::IgnoreLocations);
    });
    if (equal == candidates.end()) {
      candidates.push_back({function, attributes});
      continue;
    }
    replacements[function.getSymNameAttr()] = FlatSymbolRefAttr::get(equal->function);
    function.erase();
  }
  if (replacements.empty())
    return markAllAnalysesPreserved();
  getOperation().walk([&](LaunchOp launch) {
    if (FlatSymbolRefAttr kernel = replacements.lookup(launch.getKernelAttr().getAttr()))
      launch.setKernelAttr(kernel);
  });
}
