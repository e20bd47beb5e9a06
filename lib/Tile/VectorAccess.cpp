//===- VectorAccess.cpp - accesses of several elements at once ------------===//
//
// A CPU takes vectors at any address, but past the caches only at aligned ones. On a GPU,
// whether a dword may lie anywhere is a mode of the process. So the alignment of such a
// place is derived from how its index is computed. What does not fill aligned dwords of a
// GPU is accessed by elements.
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

/// Of the widest access of a lane in bytes; what must be aligned there; and of every buffer.
static constexpr int64_t mostAlignment = 16, dwordBytes = 4, bufferAlignment = 64;

/// A power of two, up to `bufferAlignment`, that divides `index`.
static int64_t divisorOf(Value index) {
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return std::gcd(constant.getSExtValue(), bufferAlignment);
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
    return low && step ? std::gcd(std::gcd(*low, *step), bufferAlignment) : 1;
  }
  if (auto product = index.getDefiningOp<arith::MulIOp>())
    return std::gcd(divisorOf(product.getLhs()) * divisorOf(product.getRhs()), bufferAlignment);
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

void mlir::tiny::streamVector(OpBuilder &builder, Location loc, Value value, Value flat,
                              Value place) {
  auto type = cast<VectorType>(value.getType());
  int64_t bytes = type.getElementTypeBitWidth() / 8, all = bytes * type.getNumElements();
  if (bytes && llvm::isPowerOf2_64(all) && all <= bufferAlignment &&
      divisorOf(place) * bytes % all == 0)
    vector::StoreOp::create(builder, loc, value, flat, ValueRange{place}, /*nontemporal=*/true,
                            llvm::MaybeAlign(all));
  else
    storeVector(builder, loc, value, flat, place, /*simt=*/false);
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

/// Exchanges rows and columns in each square of `rows.size()` groups of `granule` elements, which
/// lie side by side in blocks: log2 of that many steps that interleave two rows each.
static SmallVector<Value> interleave(OpBuilder &builder, Location loc, ArrayRef<Value> rows,
                                     int64_t granule) {
  int64_t count = rows.size(), block = count * granule;
  int64_t lanes = cast<VectorType>(rows.front().getType()).getNumElements();
  SmallVector<Value> current(rows);
  for (int64_t step = 1; step < count; step *= 2) {
    SmallVector<Value> next;
    for (int64_t row = 0; row < count / 2; ++row) {
      for (int64_t half : {0, 1}) {
        SmallVector<int64_t> mask;
        for (int64_t lane = 0; lane < lanes; ++lane) {
          int64_t within = lane % block, group = within / granule;
          mask.push_back(lane - within + (half * count / 2 + group / 2) * granule +
                         within % granule + (group % 2) * lanes);
        }
        next.push_back(
            vector::ShuffleOp::create(builder, loc, current[row], current[row + count / 2], mask));
      }
    }
    current = std::move(next);
  }
  return current;
}

SmallVector<Value> mlir::tiny::transposeVectors(OpBuilder &builder, Location loc,
                                                ArrayRef<Value> rows) {
  // Within the 128 bits that most shuffles of x86 keep to, and then these as a whole.
  auto type = cast<VectorType>(rows.front().getType());
  int64_t lanes = type.getNumElements(), inner = 1;
  while (inner < lanes && 2 * inner * type.getElementTypeBitWidth() <= 128)
    inner *= 2;
  SmallVector<Value> squares, result(lanes);
  for (int64_t first = 0; first < lanes; first += inner)
    llvm::append_range(squares, interleave(builder, loc, rows.slice(first, inner), 1));
  for (int64_t column = 0; column < inner; ++column) {
    SmallVector<Value> parts;
    for (int64_t first = 0; first < lanes; first += inner)
      parts.push_back(squares[first + column]);
    for (auto [block, row] : llvm::enumerate(interleave(builder, loc, parts, inner)))
      result[block * inner + column] = row;
  }
  return result;
}
