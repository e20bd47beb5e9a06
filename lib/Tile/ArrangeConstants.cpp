//===- ArrangeConstants.cpp - constants in the order that is read fastest -===//
//
// A matrix unit takes both factors with the depth contiguous. A constant factor that has
// it elsewhere would be transposed in registers by every workgroup of every run; here
// it is once, while it is copied to where the program keeps its constants
// (Tiny/IR/ConstantLayout.h). A kernel may be launched with several constants and a
// constant be read by several kernels: it is changed only where all of them agree.
//
//===----------------------------------------------------------------------===//

#include "ArrangeConstants.h"

#include "ContractionTiling.h"

#include "Tiny/Tile/Passes.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_ARRANGECONSTANTSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

namespace {
struct ArrangeConstantsPass : tiny::impl::ArrangeConstantsPassBase<ArrangeConstantsPass> {
  using ArrangeConstantsPassBase::ArrangeConstantsPassBase;
  void runOnOperation() override;
};
} // namespace

std::optional<unsigned> mlir::tiny::loneArgument(func::FuncOp function, const OpOperand &operand) {
  auto argument = dyn_cast<BlockArgument>(operand.get());
  if (!argument || argument.getOwner() != &function.getBody().front() || !argument.hasOneUse())
    return std::nullopt;
  return argument.getArgNumber();
}

/// The dims of `operand`, of a contraction by a matrix unit, with those of the depth last; nothing
/// where that is the order that they have.
static std::optional<ConstantWish> depthLast(const KernelNest &nest, OpOperand &operand) {
  linalg::GenericOp op = nest.reduction;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto type = cast<RankedTensorType>(operand.get().getType());
  if (!map.isProjectedPermutation())
    return std::nullopt;
  ConstantWish wish{{SmallVector<int64_t>(type.getShape()), {}}, &operand, {}};
  for (bool isDepth : {false, true})
    for (unsigned dim = 0; dim < map.getNumResults(); ++dim)
      if (nest.isParallel(map.getDimPosition(dim)) != isDepth) {
        wish.layout.order.push_back(dim);
        wish.index.push_back(map.getResult(dim));
      }
  return llvm::is_sorted(wish.layout.order) ? std::nullopt : std::optional(std::move(wish));
}

/// What `function` wants of its arguments, if they are constants.
static void collectWishes(func::FuncOp function, const Target &target, ConstantWishes &wishes) {
  FailureOr<KernelNests> kernel = KernelNests::get(function);
  if (failed(kernel))
    return; // whoever tiles it says why
  for (const NestGroup &group : kernel->groups()) {
    const KernelNest &nest = kernel->nests[group.nests.front()];
    if (group.nests.size() != 1 || !nest.reduction)
      continue;
    std::optional<ContractionNest> what = ContractionNest::get(nest);
    if (!what || what->factor == Factor::f32 || !contractionOf(nest, target))
      continue;
    for (OpOperand *operand : linalg::GenericOp(nest.reduction).getDpsInputOperands()) {
      std::optional<unsigned> argument = loneArgument(function, *operand);
      if (!argument)
        continue;
      if (std::optional<ConstantWish> wish = depthLast(nest, *operand))
        wishes.insert({{function.getSymNameAttr(), *argument}, std::move(*wish)});
    }
  }
}

/// Whether every launch of the kernel of `key` hands a constant on that all of its readers want in
/// the order that this one does.
static bool isGranted(const ConstantWishes &wishes, const std::pair<StringAttr, unsigned> &key,
                      ArrayRef<LaunchOp> launches) {
  const ConstantLayout &layout = wishes.find(key)->second.layout;
  for (LaunchOp launch : launches) {
    auto constant = launch.getInputs()[key.second].getDefiningOp<ConstantOp>();
    if (!constant || constant.getType().getElementType().isInteger(1))
      return false;
    FailureOr<std::optional<ConstantLayout>> before = layoutOf(constant);
    if (failed(before) || *before)
      return false;
    for (OpOperand &use : constant->getUses()) {
      auto user = dyn_cast<LaunchOp>(use.getOwner());
      if (!user || use.getOperandNumber() >= user.getInputs().size())
        return false;
      auto other = wishes.find({user.getKernelAttr().getAttr(), use.getOperandNumber()});
      if (other == wishes.end() || !(other->second.layout == layout))
        return false;
    }
  }
  return !launches.empty();
}

/// Changes the map by which `wish.operand` reads its argument.
static void permuteMap(const ConstantWish &wish) {
  auto op = cast<linalg::GenericOp>(wish.operand->getOwner());
  AffineMap map = op.getMatchingIndexingMap(wish.operand);
  SmallVector<Attribute> maps(op.getIndexingMaps().begin(), op.getIndexingMaps().end());
  maps[wish.operand->getOperandNumber()] = AffineMapAttr::get(
      AffineMap::get(map.getNumDims(), map.getNumSymbols(), wish.index, map.getContext()));
  op.setIndexingMapsAttr(ArrayAttr::get(op.getContext(), maps));
}

static void setType(func::FuncOp function, unsigned number, const ConstantLayout &layout) {
  SmallVector<int64_t> shape;
  for (int64_t dim : layout.order)
    shape.push_back(layout.shape[dim]);
  BlockArgument argument = function.getArgument(number);
  argument.setType(cast<RankedTensorType>(argument.getType()).clone(shape));
  function.setFunctionType(FunctionType::get(
      function.getContext(), function.getBody().getArgumentTypes(), function.getResultTypes()));
}

bool mlir::tiny::arrangeConstants(ModuleOp module,
                                  llvm::function_ref<void(func::FuncOp, ConstantWishes &)> collect,
                                  llvm::function_ref<void(const ConstantWish &)> reread) {
  llvm::DenseMap<StringAttr, SmallVector<LaunchOp>> launches;
  module.walk(
      [&](LaunchOp launch) { launches[launch.getKernelAttr().getAttr()].push_back(launch); });
  // Only of kernels that have constants: to look at a kernel takes time.
  ConstantWishes wishes;
  for (auto function : module.getOps<func::FuncOp>()) {
    ArrayRef<LaunchOp> own = launches[function.getSymNameAttr()];
    if (!function->hasAttr(kernelAttrName) || function->hasAttr(tilingAttrName) || own.empty())
      continue;
    LaunchOp first = own.front();
    if (llvm::any_of(first.getInputs(),
                     [](Value input) { return input.getDefiningOp<ConstantOp>() != nullptr; }))
      collect(function, wishes);
  }
  // What is not granted may be what others rely on.
  for (bool changed = true; changed;) {
    SmallVector<std::pair<StringAttr, unsigned>> refused;
    for (auto &entry : wishes)
      if (!isGranted(wishes, entry.first, launches[entry.first.first]))
        refused.push_back(entry.first);
    for (auto &key : refused)
      wishes.erase(key);
    changed = !refused.empty();
  }
  SymbolTable symbols(module);
  for (auto &[key, wish] : wishes) {
    for (LaunchOp launch : launches[key.first])
      setLayout(launch.getInputs()[key.second].getDefiningOp<ConstantOp>(), wish.layout);
    setType(symbols.lookup<func::FuncOp>(key.first), key.second, wish.layout);
    reread(wish);
  }
  return !wishes.empty();
}

void ArrangeConstantsPass::runOnOperation() {
  const Target *target = findTarget(chip);
  if (!target || target->kind != TargetKind::gpu) {
    getOperation().emitError() << "there is no GPU named '" << chip << "'";
    return signalPassFailure();
  }
  auto collect = [&](func::FuncOp function, ConstantWishes &wishes) {
    collectWishes(function, *target, wishes);
  };
  if (!arrangeConstants(getOperation(), collect, permuteMap))
    markAllAnalysesPreserved();
}
