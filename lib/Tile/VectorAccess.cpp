//===- VectorAccess.cpp - accesses of several elements at once ------------===//
//
// A CPU takes vectors at any address. On a GPU, whether a dword may lie anywhere is a
// mode of the process, so the alignment of each place is derived from how its index is
// computed, and what does not fill aligned dwords is accessed by elements.
//
//===----------------------------------------------------------------------===//

#include "BodyEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tiny;

/// Of every buffer and of the widest access, in bytes; and what must be aligned.
static constexpr int64_t mostAlignment = 16, dwordBytes = 4;

/// A power of two, up to `mostAlignment`, that divides `index`.
static int64_t divisorOf(Value index) {
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return std::gcd(constant.getSExtValue(), mostAlignment);
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(parent); loop && argument == loop.getInductionVar())
      return std::gcd(divisorOf(loop.getLowerBound()), divisorOf(loop.getStep()));
    auto forall = dyn_cast<scf::ForallOp>(parent);
    if (!forall || argument.getArgNumber() >= forall.getRank())
      return 1;
    std::optional<int64_t> low =
        getConstantIntValue(forall.getMixedLowerBound()[argument.getArgNumber()]);
    std::optional<int64_t> step =
        getConstantIntValue(forall.getMixedStep()[argument.getArgNumber()]);
    return low && step ? std::gcd(std::gcd(*low, *step), mostAlignment) : 1;
  }
  if (auto product = index.getDefiningOp<arith::MulIOp>())
    return std::gcd(divisorOf(product.getLhs()) * divisorOf(product.getRhs()), mostAlignment);
  if (auto sum = index.getDefiningOp<arith::AddIOp>())
    return std::gcd(divisorOf(sum.getLhs()), divisorOf(sum.getRhs()));
  if (auto choice = index.getDefiningOp<arith::SelectOp>())
    return std::gcd(divisorOf(choice.getTrueValue()), divisorOf(choice.getFalseValue()));
  return 1;
}

/// The alignment in bytes of a vector at `place`, or 0 if its elements are better taken one by one.
/// No more is told than the vector has, so that nothing wider is loaded in its place.
static int64_t alignmentOf(Value place, VectorType type) {
  int64_t bytes = std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1);
  int64_t all = bytes * type.getNumElements();
  int64_t alignment = std::gcd(divisorOf(place) * bytes, std::min(mostAlignment, all & -all));
  return alignment < std::min(dwordBytes, all) ? 0 : alignment;
}

Value mlir::tiny::loadVector(OpBuilder &builder, Location loc, VectorType type, Value flat,
                             Value place, bool simt) {
  int64_t alignment = simt ? alignmentOf(place, type) : 0;
  if (!simt || alignment)
    return vector::LoadOp::create(builder, loc, type, flat, ValueRange{place},
                                  /*nontemporal=*/false, llvm::MaybeAlign(alignment));
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane) {
    Value offset = arith::ConstantIndexOp::create(builder, loc, lane);
    Value own = arith::AddIOp::create(builder, loc, place, offset);
    elements.push_back(memref::LoadOp::create(builder, loc, flat, own));
  }
  return vector::FromElementsOp::create(builder, loc, type, elements);
}

void mlir::tiny::storeVector(OpBuilder &builder, Location loc, Value value, Value flat, Value place,
                             bool simt) {
  auto type = cast<VectorType>(value.getType());
  int64_t alignment = simt ? alignmentOf(place, type) : 0;
  if (!simt || alignment) {
    vector::StoreOp::create(builder, loc, value, flat, ValueRange{place}, /*nontemporal=*/false,
                            llvm::MaybeAlign(alignment));
    return;
  }
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane) {
    Value offset = arith::ConstantIndexOp::create(builder, loc, lane);
    Value own = arith::AddIOp::create(builder, loc, place, offset);
    memref::StoreOp::create(builder, loc, vector::ExtractOp::create(builder, loc, value, lane),
                            flat, own);
  }
}
