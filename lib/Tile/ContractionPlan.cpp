//===- ContractionPlan.cpp - widths, units and slots of a contraction -----===//

#include "ContractionPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// The walk along the depth
//===----------------------------------------------------------------------===//

DepthWalk::DepthWalk(const KernelNest &nest, ArrayRef<unsigned> loops, int64_t step)
    : loops(loops), step(step) {
  int64_t extent = 1, inner = 1;
  for (unsigned loop : loops) {
    sizes.push_back(nest.sizes[loop]);
    extent *= nest.sizes[loop];
  }
  blocked = loops.size() - 1;
  while (blocked > 0 && step % (inner * sizes[blocked]) == 0)
    inner *= sizes[blocked--];
  block = step / inner;
  ragged = step % inner != 0;
  numSteps = llvm::divideCeil(sizes[blocked], block);
  // A walk by loops has blocks at whose end nothing is left to do. Not too much of that.
  int64_t walked = numSteps * block;
  if (blocked > 0 && walked * 4 > sizes[blocked] * 5)
    ragged = true;
  for (unsigned outer = 0; outer < blocked; ++outer)
    numSteps *= sizes[outer];
  if (ragged)
    numSteps = llvm::divideCeil(extent, step);
}

bool DepthWalk::isPartial() const {
  if (!ragged)
    return sizes[blocked] % block != 0;
  int64_t extent = 1;
  for (int64_t size : sizes)
    extent *= size;
  return extent % step != 0;
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

int64_t mlir::tiny::loadWidth(const KernelNest &nest, const Access &access, unsigned loop,
                              int64_t most) {
  if (!access.dependsOn(loop))
    return most; // one element for all
  int64_t bytes = access.type.getIntOrFloatBitWidth() / 8;
  if (access.strideAlong(loop) != 1 ||
      llvm::any_of(access.guards, [&](const Guard &guard) { return guard.loops >> loop & 1; }))
    return 1;
  int64_t width = std::min<int64_t>(llvm::bit_floor<uint64_t>(most), accessBytes / bytes);
  auto fits = [&](int64_t elements) {
    // Aligned to a word, or to itself where it is less than one: what buffer loads ask for.
    int64_t alignment = std::min<int64_t>(4, elements * bytes) / bytes;
    if (nest.sizes[loop] % elements != 0)
      return false;
    LinearIndex form(access.flat);
    for (auto [term, coefficient] : form.terms)
      if (term != getAffineDimExpr(loop, term.getContext()) && coefficient % alignment != 0)
        return false;
    return form.constant % alignment == 0;
  };
  while (width > 1 && !fits(width))
    width /= 2;
  return width;
}

/// The width that all loads of a side have along `loop`.
static int64_t sideWidth(const KernelNest &nest, const ContractionSide &side, unsigned loop,
                         int64_t most) {
  for (Value load : side.loads)
    most = std::min(most, loadWidth(nest, nest.accesses.find(load)->second, loop, most));
  return most;
}

static SidePlan planSide(const KernelNest &nest, const ContractionPlan &plan,
                         const ContractionSide &side, int64_t tile, bool inWorkgroup) {
  SidePlan result;
  result.tile = tile;
  if (inWorkgroup && plan.depth.numSteps == 1)
    result.buffers = 1; // which leaves LDS to the locals
  const int64_t bytes = plan.what.factorBytes(), chunk = accessBytes / bytes;
  const DepthWalk &depth = plan.depth;
  int64_t widthOfDepth = std::min(sideWidth(nest, side, depth.loops.back(), chunk),
                                  int64_t(1) << llvm::countr_zero<uint64_t>(depth.step));
  int64_t widthOfSide =
      std::min(sideWidth(nest, side, side.loops.back(), std::min<int64_t>(chunk, 8)),
               int64_t(1) << llvm::countr_zero<uint64_t>(tile));
  // Where neither direction has wide loads, neighbouring lanes at least load neighbours.
  bool sideIsContiguous = llvm::any_of(side.loads, [&](Value load) {
    return nest.accesses.find(load)->second.strideAlong(side.loops.back()) == 1;
  });
  bool sideIsBetter = widthOfDepth == 1 ? sideIsContiguous : !plan.wmma;
  result.alongDepth = widthOfDepth > widthOfSide || (widthOfDepth == widthOfSide && !sideIsBetter);
  result.width = result.alongDepth ? widthOfDepth : widthOfSide;
  if (!plan.wmma) {
    result.unitDepth = result.alongDepth ? result.width : 1;
    result.unitSide = result.alongDepth ? 1 : std::min<int64_t>(accessWords, tile);
    result.units = depth.step / result.unitDepth * (tile / result.unitSide);
    result.stride = tile + accessWords; // lanes that store one step each fall on other banks
    result.slotWords = depth.step * result.stride;
    return result;
  }
  // Rows are an odd number of accesses apart: 16 lanes then read from all banks.
  int64_t chunks = depth.step / chunk;
  result.stride = (chunks | 1) * accessWords;
  result.slotWords = tile * result.stride;
  result.unitDepth = chunk;
  result.unitSide = result.alongDepth ? 1 : result.width;
  auto count = [&] { return chunks * result.period * (tile / result.unitSide); };
  // Wide loads across the depth need several elements of it per lane: where a step has too few for
  // all lanes, two are loaded at once, or the loads are narrower.
  // What a workgroup has beside this nest leaves no LDS for more than one.
  if (!result.alongDepth && count() < plan.numLanes && count() * 2 >= plan.numLanes &&
      depth.isLinear() && !inWorkgroup)
    result.period = 2;
  while (!result.alongDepth && count() < plan.numLanes && result.unitSide > 1)
    result.width = result.unitSide = result.unitSide / 2;
  result.units = count();
  return result;
}

SmallVector<int64_t, 3> ContractionPlan::numTiles() const {
  return {what.batchExtent, llvm::divideCeilSigned(what.rows.extent, rows.tile),
          llvm::divideCeilSigned(what.columns.extent, columns.tile)};
}

int64_t ContractionPlan::storeLoop(const KernelNest &nest) const {
  int64_t loop = what.columns.loops.back();
  return !wmma && nest.sizes[loop] % accessWords == 0 ? loop : -1;
}

std::optional<ContractionPlan> ContractionPlan::get(const KernelNest &nest, GPUTilingAttr tiling,
                                                    int64_t waveSize, bool inWorkgroup) {
  std::optional<ContractionNest> what = ContractionNest::get(nest);
  if (!what || tiling.getContract() == Contraction::none ||
      tiling.getGrid().size() != nest.numParallel || tiling.getLanes().size() != nest.numLoops() ||
      tiling.getUnroll().size() != nest.numLoops() || tiling.getOrder().size() != nest.numLoops() ||
      tiling.getWaves().size() != 2)
    return std::nullopt;
  // Which factor has the rows is for the tiling to say: a local is contiguous along other loops
  // once it is that of one workgroup.
  if (llvm::is_contained(what->rows.loops, tiling.getVectorDim()))
    std::swap(what->rows, what->columns);
  int64_t step = 1, tiles[2] = {1, 1};
  SmallVector<unsigned> depth;
  for (int64_t loop : tiling.getOrder()) {
    if (loop < 0 || loop >= nest.numLoops())
      return std::nullopt;
    if (nest.isParallel(loop))
      continue;
    depth.push_back(loop);
    step *= tiling.getUnroll()[loop];
  }
  if (depth.size() != what->depth.size() || step < 1)
    return std::nullopt;
  ContractionPlan plan{std::move(*what), DepthWalk(nest, depth, step), {}, {}};
  plan.wmma = tiling.getContract() == Contraction::wmma;
  for (auto [number, side] :
       llvm::enumerate(SmallVector<const ContractionSide *>{&plan.what.rows, &plan.what.columns})) {
    for (unsigned loop : side->loops) {
      tiles[number] *= inWorkgroup ? tiling.getUnroll()[loop] : tiling.getGrid()[loop];
      plan.lanes[number] *= tiling.getLanes()[loop];
    }
    plan.waves[number] = tiling.getWaves()[number];
    if (inWorkgroup)
      tiles[number] *= plan.wmma ? plan.waves[number] : plan.lanes[number];
    if (plan.waves[number] < 1 || plan.lanes[number] < 1)
      return std::nullopt;
    int64_t parts = plan.wmma ? plan.waves[number] * wmmaSize : plan.lanes[number] * accessWords;
    if (tiles[number] < 1 || tiles[number] % parts != 0)
      return std::nullopt;
  }
  plan.numLanes = plan.lanes[0] * plan.lanes[1];
  if (plan.numLanes % waveSize != 0 || plan.numLanes / waveSize != plan.waves[0] * plan.waves[1] ||
      plan.wmma == (plan.what.factor == Factor::f32) || (plan.wmma && step % wmmaSize != 0))
    return std::nullopt;
  plan.rows = planSide(nest, plan, plan.what.rows, tiles[0], inWorkgroup);
  plan.columns = planSide(nest, plan, plan.what.columns, tiles[1], inWorkgroup);
  return plan;
}
