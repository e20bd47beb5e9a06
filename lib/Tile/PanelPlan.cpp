//===- PanelPlan.cpp - sizes of panels, and what they cost ----------------===//
//
// Sizes follow from the caches: a strip of rows and a panel of columns, as deep as one
// block, share the first level; the panels of a workgroup and its sums share the second
// one. Among what fits, the fewest cycles win, counted for machines of one to many
// threads: tiles that are too small pack the same things again and again, and tiles that
// are too large leave threads without one.
//
//===----------------------------------------------------------------------===//

#include "PanelPlan.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::tiny;

// In cycles of a core that starts two loads and two multiply-adds per cycle, as in NestPrice.cpp.
// Packing was measured on Zen 3: contiguous loads and stores, transposed ones, and scalar ones.
static constexpr double loadCost = 0.5, fmaCost = 0.5, storeCost = 1, tileOverhead = 16,
                        chainLatency = 5, packCost = 2, transposeCost = 4, elementCost = 1.5,
                        guardCost = 1.5, pieceCost = 2, rowCost = 16, roundCost = 4,
                        streamCost = 60, runCost = 4.5, scatterCost = 5;
static constexpr int64_t lineBytes = 64;
/// What a workgroup costs beside its work.
static constexpr double workgroupCost = 1000;
/// Bytes per cycle from beyond the second-level cache.
static constexpr double farBytesPerCycle = 10;
/// And from there: what panels that are not packed next to the strip of rows come with.
static constexpr double nearBytesPerCycle = 24;
/// What is left of a price where vectors take twice as long to be multiplied, and what is loaded
/// meanwhile, from however far, costs next to nothing; except for one row, where memory is all that
/// there is. Of 500 products and convolutions on a Zen 4, panels were chosen for 132 that are
/// faster without before, and the choice is wrong by 5 % or more for 58 now.
static constexpr double overlappedPart = 0.9;
/// Rows of the second factor that are read at a time where they are read in place: as many streams
/// as hardware prefetchers follow.
static constexpr int64_t streams = 8;
/// Vectors of one stream that are read before the next one has its turn, where memory is what is
/// waited for: more of them, and a prefetcher is asked for so much at once that it falls behind.
static constexpr int64_t streamVectors = 4;
/// Of the first level, or more, everywhere since Haswell and Zen.
static constexpr int64_t ways = 8;
/// What is in the caches as soon as it has been read once.
static constexpr double streamedBytes = 32 << 10;
/// Parts of rows and of columns that are tried.
static constexpr int64_t tileParts[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
/// Cycles below which a further thread is not worth its start.
static constexpr double minCyclesPerThread = 10000;

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// How a factor that is packed is read.
static PanelWalk walkOf(const KernelNest &nest, const PanelPlan &plan,
                        const ContractionSide &side) {
  bool alongSide = !side.loops.empty(), alongDepth = false;
  unsigned depth = plan.what.depth.back();
  for (Value load : side.loads) {
    const Access &access = nest.accesses.find(load)->second;
    std::optional<int64_t> own = side.loops.empty() ? 0 : access.strideAlong(side.loops.back());
    std::optional<int64_t> deep = access.strideAlong(depth);
    if (!own || std::abs(*own) > 2)
      alongSide = false;
    if (deep == 1)
      alongDepth = true;
  }
  int64_t run = plan.dotLoop == depth ? plan.dot * plan.lanes : plan.lanes;
  bool runs = plan.what.depth.size() == 1 || nest.sizes[depth] % run == 0;
  return !alongSide && alongDepth && runs ? PanelWalk::alongDepth : PanelWalk::alongSide;
}

//===----------------------------------------------------------------------===//
// Sizes and cycles
//===----------------------------------------------------------------------===//

PanelPlan::PanelPlan(const KernelNest &nest, ContractionNest contraction, int64_t lanes,
                     int64_t dot, bool tiles)
    : what(std::move(contraction)), element(nest.reduced.getType()), packed(element), lanes(lanes),
      dot(dot), tiles(tiles) {
  if (hasDots()) {
    dotLoop = dotLoopOf(nest, what, dot);
    packed = IntegerType::get(element.getContext(), 32);
  }
  if (dot == 4)
    bytes = *ByteFactors::get(what, tiles);
  depthSteps = 1;
  for (unsigned loop : what.depth)
    depthSteps *= steps(nest, loop);
}

int64_t PanelPlan::steps(const KernelNest &nest, unsigned loop) const {
  return dotLoop == loop ? llvm::divideCeil(nest.sizes[loop], dot) : nest.sizes[loop];
}

int64_t PanelPlan::columnElements() const { return packsColumns() ? depthBlock * columnTile : 0; }

int64_t PanelPlan::stripElements() const {
  return rows == PanelWalk::inPlace ? 0 : depthBlock * registerRows;
}

int64_t PanelPlan::sumElements() const { return splitsDepth() ? rowTile * columnTile : 0; }

int64_t PanelPlan::lastVectors() const {
  int64_t rest = what.columns.extent % panelWidth();
  return rest == 0 || !packsColumns() ? vectors : llvm::divideCeil(rest, lanes);
}

int64_t PanelPlan::edgeElements() const {
  // Tiles are stored where they wait, and what is behind them takes them from there.
  return tiles && splitsDepth() ? 0 : registerRows * panelWidth();
}

int64_t PanelPlan::localBytes() const {
  int64_t bytes = 0;
  for (int64_t elements : {columnElements(), stripElements(), sumElements(), edgeElements()})
    bytes += llvm::alignTo(elements * elementBytes(), 64);
  return bytes;
}

int64_t PanelPlan::workgroups() const {
  return what.batchExtent * llvm::divideCeil(what.rows.extent, rowTile) *
         llvm::divideCeil(what.columns.extent, columnTile);
}

/// The part of the units that are in more than one round of the innermost loop of `side`.
static double crossing(const KernelNest &nest, const ContractionSide &side, int64_t unit) {
  int64_t size = side.loops.empty() ? 0 : nest.sizes[side.loops.back()];
  if (size == 0 || loadsAreLinear(nest, side, side.loops))
    return 0;
  int64_t step = std::gcd(size, unit), places = size / step;
  int64_t within = size < unit ? 0 : (size - unit) / step + 1;
  return double(places - within) / places;
}

double PanelPlan::cycles(const KernelNest &nest) const {
  double rowStrips = llvm::divideCeil(what.rows.extent, registerRows),
         panels = llvm::divideCeil(what.columns.extent, panelWidth()),
         blocks = llvm::divideCeil(depthSteps, depthBlock), depth = depthSteps,
         batch = what.batchExtent;
  // Short chains of different tiles overlap, and so do their ends.
  double latency = depthBlock <= streams ? 0 : chainLatency;
  auto tileCycles = [&](int64_t vectors) {
    double sums = registerRows * vectors, loads = (registerRows + vectors) * loadCost;
    if (bytes.rowOffset) // columns are added up, too
      sums += vectors;
    double step = tiles ? tileStepCost(registerRows, vectors)
                        : std::max({sums * productCost, loads, latency}) + loads / 8;
    if (columns == PanelWalk::inPanels && rowStrips > 1)
      step = std::max(step, vectors * lanes * elementBytes() / nearBytesPerCycle);
    double perBlock = (latency ? tileOverhead : tileOverhead / 4) +
                      (splitsDepth() || tiles ? sums * (loadCost + storeCost) : 0);
    return (tiles ? llvm::alignTo(depthSteps, tileSize) : depth) * step + blocks * perBlock;
  };
  double result = rowStrips * ((panels - 1) * tileCycles(vectors) + tileCycles(lastVectors()));
  // Packing, again for each tile of the other side.
  auto packing = [&](PanelWalk walk, const ContractionSide &side, int64_t unit) {
    double perVector = walk == PanelWalk::alongDepth ? transposeCost : packCost;
    // Each part of a dot is loaded, and all are put together.
    perVector += packCost * (dot - 1);
    if (tiles && walk == PanelWalk::alongDepth && &side == &what.rows)
      perVector = packCost; // in their own order, and dots as they lie
    if (isBF16() && !isStoredAsMultiplied(nest, *this, side))
      perVector += 2 * roundCost;
    if (isGuarded(nest, side))
      perVector += guardCost * dot;
    if (walk == PanelWalk::alongSide)
      perVector += crossing(nest, side, unit) * numPieces(nest, side, unit) * pieceCost;
    if (walk == PanelWalk::alongSide)
      for (Value load : side.loads) {
        const Access &access = nest.accesses.find(load)->second;
        std::optional<int64_t> stride =
            side.loops.empty() ? 0 : access.strideAlong(side.loops.back());
        if (!stride || std::abs(*stride) > 2)
          perVector += elementCost * unit * dot;
      }
    return perVector / unit;
  };
  double rowTiles = llvm::divideCeil(what.rows.extent, rowTile),
         columnTiles = llvm::divideCeil(what.columns.extent, columnTile);
  if (packsColumns())
    result += depth * ((panels - 1) * vectors + lastVectors()) * lanes * rowTiles *
              packing(columns, what.columns, lanes);
  // Each step of the depth begins somewhere else in memory, where no prefetcher has been. There,
  // factors that packing rounds are as wide as others.
  double depthOutside =
      isBF16() && !isStoredAsMultiplied(nest, *this, what.columns) ? what.depthExtent : depth;
  if (columns != PanelWalk::inPanels &&
      double(what.columns.extent) * depthOutside * elementBytes() > streamedBytes)
    result += depthOutside * rowTiles * columnTiles *
              (columns == PanelWalk::inPlace ? streamCost : rowCost);
  if (rows != PanelWalk::inPlace)
    result += depth * rowStrips * registerRows * columnTiles *
              packing(rows, what.rows, rows == PanelWalk::alongDepth ? lanes : registerRows);
  // What comes from far away.
  double bytes = depthOutside * elementBytes() *
                 (what.rows.extent * columnTiles + what.columns.extent * rowTiles);
  result += bytes / farBytesPerCycle / 2; // half of it behind the products
  // The epilogue, in vectors where these are in one loop; columns that fill none, one by one.
  bool inVectors =
      columnsAreOneLoop(nest, what) || nest.sizes[what.columns.loops.back()] % lanes == 0;
  int64_t single = inVectors ? what.columns.extent % lanes : what.columns.extent;
  double stores = (what.columns.extent - single) / lanes + single;
  result += what.rows.extent *
            (stores * (storeCost + operationsOf(nest.epilogue) * fmaCost) + single * elementCost);
  return batch * result;
}

double PanelPlan::farCycles(const Candidate &alone, const PanelTarget &target) const {
  // What a register tile of the nest has of rows and of columns.
  auto partOf = [&](const ContractionSide &side) {
    int64_t part = 1;
    for (unsigned loop : side.loops)
      part *= alone.unroll[loop] * (loop == alone.vectorDim ? alone.width : 1);
    return std::min<double>(part, side.extent);
  };
  double rowParts = what.rows.extent / partOf(what.rows),
         columnParts = what.columns.extent / partOf(what.columns), result = 0;
  double bytes = double(what.depthExtent) * elementBytes();
  // Each factor passes by once per part of the other side; columns in short runs, one per step,
  // unless vectors go along the depth: then each column is one long run.
  bool longRuns = llvm::is_contained(what.depth, alone.vectorDim);
  if (bytes * what.columns.extent > target.l1Bytes && !longRuns)
    result += rowParts * columnParts * what.depthExtent * runCost;
  if (bytes * what.columns.extent > target.l2Bytes / 2)
    result += rowParts * bytes * what.columns.extent / farBytesPerCycle / 2;
  return what.batchExtent * result;
}

double PanelPlan::cyclesAlone(const Candidate &alone, double price,
                              const PanelTarget &target) const {
  bool isHalved = target.halvesVectors && lanes * elementBytes() * 8 == target.vectorBits;
  if (isHalved && !hasDots() && what.rows.extent > 1)
    return overlappedPart * price;
  return price + farCycles(alone, target);
}

double PanelPlan::scatteredCycles(const KernelNest &nest) const {
  auto isScattered = [&](PanelWalk walk, const ContractionSide &side) {
    return walk == PanelWalk::alongSide && llvm::any_of(side.loads, [&](Value load) {
             const Access &access = nest.accesses.find(load)->second;
             std::optional<int64_t> stride =
                 side.loops.empty() ? 0 : access.strideAlong(side.loops.back());
             int64_t bytes = std::max<int64_t>(access.type.getIntOrFloatBitWidth() / 8, 1);
             return !stride || std::abs(*stride) * bytes >= lineBytes;
           });
  };
  double elements = 0;
  if (isScattered(rows, what.rows))
    elements += llvm::alignTo(what.rows.extent, registerRows) *
                llvm::divideCeil(what.columns.extent, columnTile);
  if (isScattered(columns, what.columns))
    elements += llvm::alignTo(what.columns.extent, panelWidth()) *
                llvm::divideCeil(what.rows.extent, rowTile);
  return elements * what.batchExtent * what.depthExtent * scatterCost;
}

PanelTiling PanelPlan::tiling() const {
  return {{rowTile, columnTile},
          depthBlock,
          {registerRows, vectors},
          lanes,
          {rows != PanelWalk::inPlace, packsColumns()},
          {},
          dot,
          apart,
          tiles};
}

std::optional<PanelPlan> PanelPlan::get(const KernelNest &nest, const PanelTiling &tiling) {
  std::optional<ContractionNest> what = ContractionNest::getForCPU(nest, tiling.apart);
  if (!what)
    return std::nullopt;
  if (!(tiling.tiles ? mayBeTiles : mayBeDots)(nest, *what, tiling.dot, tiling.lanes))
    return std::nullopt;
  PanelPlan plan(nest, std::move(*what), tiling.lanes, tiling.dot, tiling.tiles);
  plan.rowTile = tiling.tile[0], plan.columnTile = tiling.tile[1];
  plan.registerRows = tiling.registers[0], plan.vectors = tiling.registers[1];
  plan.depthBlock = tiling.depth;
  plan.apart = tiling.apart;
  if (tiling.packed[0])
    plan.rows = walkOf(nest, plan, plan.what.rows);
  else if (!mayStay(nest, plan, plan.what.rows, /*alongDepth=*/true))
    return std::nullopt;
  if (tiling.packed[1])
    plan.columns = walkOf(nest, plan, plan.what.columns);
  else if (liesInPanels(nest, plan))
    plan.columns = PanelWalk::inPanels;
  else if (!mayStay(nest, plan, plan.what.columns, /*alongDepth=*/false) ||
           plan.what.columns.extent < plan.panelWidth())
    return std::nullopt;
  // Vectors along the depth stay in their loop, and blocks end with them.
  bool alongDepth = plan.rows == PanelWalk::alongDepth || plan.columns == PanelWalk::alongDepth;
  if (alongDepth && plan.splitsDepth() && plan.depthBlock % plan.lanes != 0)
    return std::nullopt;
  if (plan.tiles && !fitsTiles(nest, plan))
    return std::nullopt;
  return plan;
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

/// Parts of `extent`, of the fewest whole units, that are no larger than `most`.
static int64_t evenPart(int64_t extent, int64_t unit, int64_t most) {
  int64_t units = llvm::divideCeil(extent, unit), mostUnits = std::max<int64_t>(most / unit, 1);
  int64_t parts = llvm::divideCeil(units, mostUnits);
  return llvm::divideCeil(units, parts) * unit;
}

/// The inner loops of the depth as one: blocks of whole ones need no divisions.
static int64_t innerDepth(const KernelNest &nest, const PanelPlan &plan) {
  int64_t inner = 1;
  for (unsigned loop : ArrayRef(plan.what.depth).drop_front())
    inner *= plan.steps(nest, loop);
  return inner;
}

namespace {
/// Keeps the best plan of each way to walk.
class Chooser {
public:
  Chooser(const KernelNest &nest, const PanelTarget &target, const ContractionNest &what,
          bool within, bool mayArrange, int64_t apart, int64_t dot, bool tiles)
      : nest(nest), target(target), what(what), within(within), mayArrange(mayArrange),
        apart(apart), dot(dot), tiles(tiles) {}
  std::vector<std::pair<double, PanelPlan>> found;

  void tryRegisters(int64_t rows, int64_t vectors, int64_t lanes);

private:
  void tryTiles(PanelPlan plan);
  void tryInPanels(PanelPlan plan);
  double price(const PanelPlan &plan) const;
  const KernelNest &nest;
  const PanelTarget &target;
  const ContractionNest &what;
  bool within; ///< A workgroup, and all threads are busy with others.
  bool mayArrange;
  int64_t apart, dot;
  bool tiles;
};
} // namespace

double mlir::tiny::priceOnThreads(double workgroups, double each) {
  double cycles = workgroups * (each + workgroupCost), price = 0;
  for (double threads : {1, 2, 4, 16, 64}) {
    double useful = std::min(threads, std::max(cycles / minCyclesPerThread, 1.0));
    // One thread is what most calls have: it counts more.
    double weight = threads == 1 ? 4 : threads == 2 ? 2 : 1;
    price += weight * std::log(std::ceil(workgroups / useful) / workgroups * cycles);
  }
  return price;
}

double Chooser::price(const PanelPlan &plan) const {
  double count = plan.workgroups(), cycles = plan.cycles(nest);
  return within ? cycles : priceOnThreads(count, cycles / count);
}

void Chooser::tryTiles(PanelPlan plan) {
  std::optional<PanelPlan> best;
  double bestPrice = std::numeric_limits<double>::infinity();
  auto offer = [&](const PanelPlan &offered) {
    if (offered.localBytes() > target.maxLocalBytes || (tiles && !fitsTiles(nest, offered)))
      return;
    if (double own = price(offered); own < bestPrice) {
      bestPrice = own;
      best = offered;
    }
  };
  int64_t bytes = plan.elementBytes();
  // Columns: packed ones take a quarter of the second level, sums as much.
  int64_t mostColumns = what.columns.extent, quarter = target.l2Bytes / 4;
  quarter = std::min(quarter, target.maxLocalBytes / 2);
  bool isOneStrip = what.rows.extent <= plan.registerRows;
  if (plan.columns == PanelWalk::inPanels)
    mostColumns = isOneStrip
                      ? mostColumns
                      : std::max(target.l2Bytes / 2 / (plan.depthBlock * bytes), plan.panelWidth());
  else if (plan.columns != PanelWalk::inPlace)
    mostColumns = std::max(quarter / (plan.depthBlock * bytes), plan.panelWidth());
  else if (plan.splitsDepth())
    mostColumns = std::max(target.l1Bytes / 2 / (plan.registerRows * bytes), plan.panelWidth());
  int64_t before = 0;
  for (int64_t parts : tileParts) {
    plan.columnTile =
        evenPart(what.columns.extent, plan.panelWidth(),
                 std::min(mostColumns, llvm::divideCeilSigned(what.columns.extent, parts)));
    if (plan.columnTile == before)
      continue;
    before = plan.columnTile;
    int64_t mostRows = what.rows.extent, beforeRows = 0;
    if (plan.splitsDepth())
      mostRows = std::max(quarter / (plan.columnTile * bytes), plan.registerRows);
    for (int64_t rowParts : tileParts) {
      plan.rowTile =
          evenPart(what.rows.extent, plan.registerRows,
                   std::min(mostRows, llvm::divideCeilSigned(what.rows.extent, rowParts)));
      if (plan.rowTile == beforeRows)
        continue;
      beforeRows = plan.rowTile;
      offer(plan);
      if (within)
        break;
    }
  }
  if (best)
    found.emplace_back(bestPrice, *best);
}

/// Parts of the depth that are no deeper than `most`: equal ones if there are any that are not
/// much smaller.
static int64_t depthPart(int64_t depth, int64_t unit, int64_t most) {
  if (depth <= most)
    return depth;
  int64_t parts = llvm::divideCeil(depth, most);
  for (int64_t more = parts; more <= parts * 3 / 2; ++more)
    if (depth % more == 0 && depth / more % unit == 0)
      return depth / more;
  return std::min(depth, evenPart(depth, unit, most));
}

/// Columns that lie in panels, or can: only the strip of rows has to stay in the first level, since
/// panels come from the second one in one run. Rows are read in place even where they share sets,
/// as long as a line of each and two of the panel find room: no more is needed at a time.
void Chooser::tryInPanels(PanelPlan plan) {
  int64_t bytes = plan.elementBytes(), depth = plan.depthSteps;
  plan.columns = PanelWalk::inPanels;
  if (mayStay(nest, plan, what.rows, /*alongDepth=*/true) &&
      (!tiles || tilesMayLoadRows(nest, plan)) &&
      !collide(nest, what, plan.registerRows, depth, ways - 2))
    plan.rows = PanelWalk::inPlace;
  if (what.rows.extent <= plan.registerRows) {
    plan.depthBlock = depth;
    return tryTiles(plan);
  }
  int64_t most = std::min(target.l1Bytes * 3 / 4 / (plan.registerRows * bytes),
                          target.l2Bytes / 2 / (plan.panelWidth() * bytes)),
          before = 0;
  for (int64_t part : {most, most / 2}) {
    plan.depthBlock = depthPart(depth, plan.lanes, std::max(part, plan.lanes));
    if (plan.depthBlock != before)
      tryTiles(plan);
    before = plan.depthBlock;
  }
}

void Chooser::tryRegisters(int64_t rows, int64_t vectors, int64_t lanes) {
  PanelPlan plan(nest, what, lanes, dot, tiles);
  plan.registerRows = rows;
  plan.vectors = vectors;
  plan.apart = apart;
  plan.productCost = what.isInteger && dot == 2 ? target.pairInstructions * fmaCost : fmaCost;
  int64_t bytes = plan.elementBytes(), depth = plan.depthSteps;
  // Tiles of columns are multiplied for as long as the second level takes to bring the next ones.
  int64_t near = tiles ? rows : rows + plan.panelWidth();
  int64_t most = target.l1Bytes * 3 / 4 / (near * bytes);
  if (!mayStay(nest, plan, what.rows, /*alongDepth=*/true) ||
      (tiles && !tilesMayLoadRows(nest, plan)) ||
      (what.rows.extent > rows && collide(nest, what, rows, std::min(most, depth), ways / 2)))
    plan.rows = walkOf(nest, plan, what.rows);
  if (liesInPanels(nest, plan) || (mayArrange && isStoredAsMultiplied(nest, plan, what.columns) &&
                                   nest.sizes[what.columns.loops.back()] % plan.panelWidth() == 0 &&
                                   (!plan.hasDots() || nest.sizes[plan.dotLoop] % dot == 0)))
    tryInPanels(plan);
  // Columns in place: either all of them stay in the first level, or there is one strip of rows,
  // and they are read in long runs.
  if (mayStay(nest, plan, what.columns, /*alongDepth=*/false) &&
      what.columns.extent >= plan.panelWidth()) {
    plan.depthBlock = depth;
    if (depth * what.columns.extent * bytes <= target.l1Bytes * 3 / 4)
      tryTiles(plan);
    plan.depthBlock = std::min(depth, streams);
    bool isFar = depth * what.columns.extent * bytes > target.l2Bytes;
    if (what.rows.extent <= rows && plan.rows != PanelWalk::alongDepth &&
        (!isFar || vectors <= streamVectors))
      tryTiles(plan);
    if (what.rows.extent == 1)
      return; // nothing is read twice
  }
  plan.columns = walkOf(nest, plan, what.columns);
  int64_t unit = innerDepth(nest, plan);
  if (unit > most || plan.rows == PanelWalk::alongDepth || plan.columns == PanelWalk::alongDepth ||
      (tiles && unit % tileSize != 0))
    unit = lanes;
  // Zeros follow what there is no more of.
  if (tiles)
    depth = llvm::alignTo(depth, tileSize);
  // Sums that are put aside cost more than a block that is somewhat too deep.
  plan.depthBlock = depth <= most * 3 / 2 ? depth : std::min(depth, evenPart(depth, unit, most));
  tryTiles(plan);
}

/// Offers register tiles of `what` to `chooser`.
static void tryAll(Chooser &chooser, const ContractionNest &what, const PanelTarget &target,
                   int64_t lanes, int64_t dot, bool tiles) {
  if (tiles) {
    for (int64_t rows : {tileSize, 2 * tileSize})
      for (int64_t vectors : {1, 2})
        chooser.tryRegisters(rows, vectors, lanes);
    return;
  }
  bool addsColumns = dot == 4 && ByteFactors::get(what)->rowOffset != 0;
  int64_t mostVectors = llvm::divideCeil(what.columns.extent, lanes);
  for (int64_t vectors = 1; vectors <= std::min(mostVectors, target.numRegisters / 2); ++vectors) {
    // As many rows as there are registers for, or as few as make the same number of strips. Where
    // products are added by an instruction of their own, they need a register before that.
    int64_t others = vectors + (what.isInteger && dot == 2 ? target.pairInstructions : 1);
    if (addsColumns)
      others += vectors;
    int64_t most = std::min((target.numRegisters - others) / vectors, what.rows.extent);
    // A number that is multiplied once is what LLVM lets the fused multiply-add write over, so that
    // each sum moves from register to register and needs two.
    if (vectors == 1)
      most = std::min(most, target.numRegisters / 2);
    if (most < 1)
      continue;
    int64_t even = llvm::divideCeil(what.rows.extent, llvm::divideCeil(what.rows.extent, most));
    chooser.tryRegisters(most, vectors, lanes);
    if (even != most)
      chooser.tryRegisters(even, vectors, lanes);
  }
}

std::vector<PanelPlan> PanelPlan::candidates(const KernelNest &nest, const PanelTarget &target,
                                             bool within, bool mayArrange) {
  std::optional<ContractionNest> what = ContractionNest::getForCPU(nest);
  if (!what || (what->isInteger && target.pairInstructions == 0))
    return {};
  int64_t lanes = target.vectorBits / nest.reduced.getType().getIntOrFloatBitWidth();
  if (lanes < 2)
    return {};
  std::vector<std::pair<double, PanelPlan>> found;
  for (int64_t apart = 0; what; what = ContractionNest::getForCPU(nest, ++apart)) {
    bool isOneLoop = columnsAreOneLoop(nest, *what);
    if (apart && !isOneLoop)
      continue;
    for (int64_t dot : {1, 2, 4})
      for (bool tiles : {false, true}) {
        bool exists =
            dot == 1 || (dot == 2 ? what->isInteger || target.bf16Products : target.byteProducts);
        if (tiles ? !target.matrixUnit || (dot == 2 && !target.bf16Products) ||
                        !mayBeTiles(nest, *what, dot, lanes)
                  : !exists || !mayBeDots(nest, *what, dot, lanes))
          continue;
        Chooser chooser(nest, target, *what, within, mayArrange && apart == 0, apart, dot, tiles);
        tryAll(chooser, *what, target, lanes, dot, tiles);
        llvm::append_range(found, chooser.found);
      }
    if (isOneLoop)
      break;
  }
  SmallVector<std::pair<double, size_t>> order;
  for (auto [number, entry] : llvm::enumerate(found))
    order.emplace_back(entry.first, number);
  llvm::sort(order);
  std::vector<PanelPlan> plans;
  for (const auto &entry : order)
    plans.push_back(std::move(found[entry.second].second));
  return plans;
}

SmallVector<PanelTiling> PanelPlan::neighbours(const KernelNest &nest,
                                               const PanelTarget &target) const {
  SmallVector<PanelTiling> result;
  auto change = [&](int64_t PanelPlan::*size, int64_t unit, int64_t most) {
    for (int64_t wanted : {this->*size / 2, this->*size * 2}) {
      PanelPlan other = *this;
      other.*size = std::min<int64_t>(llvm::alignTo(wanted, unit), most);
      if (wanted > 0 && other.*size != this->*size && other.localBytes() <= target.maxLocalBytes &&
          PanelPlan::get(nest, other.tiling()))
        result.push_back(other.tiling());
    }
  };
  change(&PanelPlan::rowTile, registerRows, llvm::alignTo(what.rows.extent, registerRows));
  change(&PanelPlan::columnTile, panelWidth(), llvm::alignTo(what.columns.extent, panelWidth()));
  change(&PanelPlan::depthBlock, lanes, tiles ? llvm::alignTo(depthSteps, tileSize) : depthSteps);
  return result;
}
