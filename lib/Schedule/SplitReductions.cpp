//===- SplitReductions.cpp - long reductions to few elements --------------===//
//
// The elements of a result are what the workgroups share out between them, so a sum
// of everything is the work of one. The order of a reduction is free: a reshape and
// two reductions say the same, and the first of them has more results. It is a change
// of the program, before anything is decided about kernels, so that whatever comes
// before and behind the reduction joins the two as it would join the one.
//
//===----------------------------------------------------------------------===//

#include "SplitReductions.h"

using namespace mlir;
using namespace mlir::tiny;

/// A split must save the time of this many launches.
static constexpr double kLaunchesSaved = 4;
/// A run may be that much shorter than needed for the sake of runs of one length.
static constexpr int64_t kMaxExcess = 16;

namespace {
/// How the elements are cut: `runs` along dim `dim` of the input under `shape`.
struct Cut {
  SmallVector<int64_t> shape; // of the input, with reduced dims that are neighbours merged
  SmallVector<int64_t> dims;  // that are reduced
  unsigned dim;
  int64_t runs;
};
} // namespace

/// The longest dim that is reduced, in runs so that there are at least `wanted`.
static std::optional<Cut> findCut(ReduceOp reduce, int64_t wanted) {
  Cut cut;
  int64_t last = -2;
  for (auto [dim, size] : llvm::enumerate(reduce.getInput().getType().getShape())) {
    bool isReduced = llvm::is_contained(reduce.getDims(), static_cast<int64_t>(dim));
    if (isReduced && last + 1 == static_cast<int64_t>(dim)) {
      cut.shape.back() *= size;
    } else {
      if (isReduced)
        cut.dims.push_back(cut.shape.size());
      cut.shape.push_back(size);
    }
    if (isReduced)
      last = dim;
  }
  cut.dim = *llvm::max_element(cut.dims,
                               [&](int64_t a, int64_t b) { return cut.shape[a] < cut.shape[b]; });
  int64_t size = cut.shape[cut.dim];
  if (size < 2 * wanted)
    return std::nullopt;
  cut.runs = wanted;
  for (int64_t runs = wanted; runs <= std::min(wanted * kMaxExcess, size / 2); ++runs)
    if (size % runs == 0) {
      cut.runs = runs;
      break;
    }
  return cut;
}

/// The elements of `value` from `start` on along `dim`.
static Value shrinkDim(OpBuilder &b, Location loc, Value value, unsigned dim, int64_t start,
                       int64_t size) {
  SmallVector<int64_t> sizes(cast<RankedTensorType>(value.getType()).getShape()),
      offsets(sizes.size(), 0);
  if (sizes[dim] == size)
    return value;
  offsets[dim] = start;
  sizes[dim] = size;
  return ShrinkOp::create(b, loc, value, offsets, sizes);
}

static Value combineWith(OpBuilder &b, Location loc, ReduceKind kind, Value lhs, Value rhs) {
  switch (kind) {
  case ReduceKind::add:
    return AddOp::create(b, loc, lhs, rhs);
  case ReduceKind::mul:
    return MulOp::create(b, loc, lhs, rhs);
  case ReduceKind::max:
    return MaxOp::create(b, loc, lhs, rhs);
  }
  llvm_unreachable("every kind of reduction returns");
}

static void split(ReduceOp reduce, const Cut &cut) {
  OpBuilder b(reduce);
  Location loc = reduce.getLoc();
  ReduceKind kind = reduce.getKind();
  Type element = reduce.getType().getElementType();
  Value value = reduce.getInput();
  auto castTo = [&](Value value, Type type) -> Value {
    auto from = cast<RankedTensorType>(value.getType());
    if (from.getElementType() == type)
      return value;
    return CastOp::create(b, loc, from.clone(type), value);
  };
  // What is summed up in f32 is rounded once, at the end.
  bool isNarrow = element.isF16() || element.isBF16();
  if (isNarrow && kind != ReduceKind::max)
    value = castTo(value, b.getF32Type());
  Type type = cast<RankedTensorType>(value.getType()).getElementType();
  value = ReshapeOp::create(b, loc, RankedTensorType::get(cut.shape, type), value);

  int64_t size = cut.shape[cut.dim], length = size / cut.runs, rest = size % cut.runs;
  SmallVector<int64_t> shape(cut.shape), inner;
  shape[cut.dim] = cut.runs;
  shape.insert(shape.begin() + cut.dim + 1, length);
  for (int64_t dim : cut.dims)
    inner.push_back(dim + (dim >= cut.dim));
  Value runs = shrinkDim(b, loc, value, cut.dim, 0, cut.runs * length);
  runs = ReshapeOp::create(b, loc, RankedTensorType::get(shape, type), runs);
  Value partial = ReduceOp::create(b, loc, kind, runs, inner);
  // The dims before it that are reduced are gone.
  int64_t outer = cut.dim;
  for (int64_t dim : cut.dims)
    outer -= dim < cut.dim;
  Value result = ReduceOp::create(b, loc, kind, partial, SmallVector<int64_t>{outer});
  if (rest != 0) {
    Value others = shrinkDim(b, loc, value, cut.dim, cut.runs * length, rest);
    others = ReduceOp::create(b, loc, kind, others, cut.dims);
    result = combineWith(b, loc, kind, result, others);
  }
  reduce.replaceAllUsesWith(castTo(result, element));
  reduce.erase();
}

bool mlir::tiny::splitReductions(func::FuncOp function, const Materialisation &materialisation,
                                 const GroupingCosts &costs) {
  SmallVector<std::pair<ReduceOp, Cut>> cuts;
  for (ReduceOp reduce : function.getOps<ReduceOp>()) {
    RankedTensorType input = reduce.getInput().getType(), type = reduce.getType();
    int64_t points = type.getNumElements();
    if (points == 0 || points >= costs.parallelUnits || !materialisation.isRoot(reduce.getResult()))
      continue;
    // A first look, which costs nothing: a term takes a few operations at most.
    auto saved = [&](double operations) {
      return operations / costs.operationsPerNs * (1.0 / points - 1.0 / costs.parallelUnits);
    };
    if (saved(32.0 * input.getNumElements()) < kLaunchesSaved * costs.launchNs)
      continue;
    Nest nest = formNest(reduce.getResult(), Box::whole(type.getShape()), materialisation);
    if (!nest.reduction || nest.isScan() || // it is a look-up, or as long as its result
        saved(nest.numOperations()) < kLaunchesSaved * costs.launchNs)
      continue;
    if (auto cut = findCut(reduce, llvm::divideCeil(costs.parallelUnits, points)))
      cuts.push_back({reduce, *cut});
  }
  for (auto &[reduce, cut] : cuts)
    split(reduce, cut);
  return !cuts.empty();
}
