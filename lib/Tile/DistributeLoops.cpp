//===- DistributeLoops.cpp - the lanes of a GPU share a nest's loops ------===//
//
// The register tiles of a nest are numbered in a row, the loop along which lanes should
// be neighbours in memory fastest, and dealt out to lanes by number: so a loop of three
// steps wastes no lanes, and whatever the rank of a nest is, one comparison says where
// it ends. What a lane then does with its tile is what a CPU does (NestEmitter).
//
// A nest alone is divided among workgroups in the same way. Nests that locals connect
// have their workgroups already (tiny-tile-form-workgroups); in each of those, all lanes
// work through one nest after the other, with a barrier where one needs another.
//
//===----------------------------------------------------------------------===//

#include "ContractionEmitter.h"
#include "CrossLane.h"
#include "LocalMemory.h"
#include "NestEmitter.h"
#include "Tiny/IR/FoldOperations.h"
#include "Tiny/IR/KernelAttributes.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_DISTRIBUTELOOPSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static int64_t productOf(ArrayRef<int64_t> numbers) {
  int64_t product = 1;
  for (int64_t number : numbers)
    product *= number;
  return product;
}

//===----------------------------------------------------------------------===//
// One nest
//===----------------------------------------------------------------------===//

namespace {
/// The lanes of a workgroup.
struct Workgroup {
  int64_t lanes, waveSize;
  Value lane; ///< Which one this is.
};

/// Deals the tiles of one nest out.
class NestDistributor {
public:
  NestDistributor(const KernelNest &nest, const NestTiling &tiling, const Workgroup &block,
                  const llvm::DenseMap<Value, Value> &flat, bool hasFma);

  /// Reports a tiling that does not fit the nest or the block.
  LogicalResult check() const;
  /// In front of the nest: a loop over workgroups, each with as many tiles as it has lanes for.
  void distributeOverWorkgroups();
  /// In front of the nest: all of it, by one workgroup. `again` if that runs more than once.
  void distributeOverLanes(bool again);

private:
  void emit(Value firstTile, bool mayEnd, bool again);
  void emitShared(Value tile, Value valid, bool again);
  void emitPlaces(unsigned depth);
  SmallVector<Value> coordinates(Value tile);
  /// Elements of a register tile along `loop`.
  int64_t stepOf(unsigned loop) const {
    return tiling.unroll[loop] * (int64_t(loop) == tiling.vectorDim ? tiling.vectorWidth : 1);
  }
  Value constant(int64_t value) { return indexConstant(builder, loc, value); }
  Value divide(Value value, int64_t by);
  Value remainder(Value value, int64_t by);

  const KernelNest &nest;
  const NestTiling &tiling;
  const Workgroup &block;
  OpBuilder builder;
  Location loc;
  EmissionContext context;
  std::optional<NestEmitter> emitter;
  SmallVector<int64_t> counts; ///< Tiles along each parallel loop.
  SmallVector<Value> places;   ///< Of the current tile, in tiles; null for 0.
  int64_t tiles = 1;           ///< Of the nest.
  int64_t dealt = 1;           ///< Of them at once: lanes of the block that do not share a tile.
  int64_t sharedLoop = -1, sharing = 1; ///< The reduction that lanes share, and how many do.
  bool sharingFirst = false;            ///< Whether these lanes are neighbours, or tiles are.
};
} // namespace

NestDistributor::NestDistributor(const KernelNest &nest, const NestTiling &tiling,
                                 const Workgroup &block, const llvm::DenseMap<Value, Value> &flat,
                                 bool hasFma)
    : nest(nest), tiling(tiling), block(block), builder(nest.epilogue), loc(nest.loc()),
      context{nest,         tiling.vectorDim, SmallVector<int64_t>(tiling.order), hasFma, flat,
              /*simt=*/true} {
  ArrayRef<int64_t> lanes = tiling.gpu.getLanes();
  for (unsigned loop = nest.numParallel; loop < std::min<size_t>(nest.numLoops(), lanes.size());
       ++loop) {
    if (lanes[loop] > 1)
      sharedLoop = loop;
    sharing *= lanes[loop];
  }
  sharingFirst = context.vectorDim >= static_cast<int64_t>(nest.numParallel);
  dealt = std::max<int64_t>(block.lanes / sharing, 1);
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    counts.push_back(llvm::divideCeil(nest.sizes[loop], stepOf(loop)));
    tiles *= counts.back();
  }
}

LogicalResult NestDistributor::check() const {
  if (failed(checkTiling(nest, tiling)))
    return failure();
  linalg::GenericOp op = nest.epilogue;
  GPUTilingAttr gpu = tiling.gpu;
  if (gpu.getLanes().size() != nest.numLoops() ||
      llvm::any_of(gpu.getLanes(), [](int64_t lanes) { return lanes < 1; }))
    return op.emitOpError() << "has " << nest.numLoops() << " loops, which " << gpu
                            << " does not fit";
  if (sharing == 1)
    return success();
  if (nest.isScan() || !llvm::isPowerOf2_64(sharing) || !llvm::isPowerOf2_64(block.lanes) ||
      sharing > block.lanes || gpu.getLanes()[sharedLoop] != sharing)
    return op.emitOpError() << "has a reduction that lanes cannot share as in " << gpu << ", of "
                            << block.lanes << " lanes";
  // Sums are exchanged where all lanes pass, so that there is one way for all of them.
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    if (nest.sizes[loop] % stepOf(loop) != 0)
      return op.emitOpError() << "has lanes along a reduction and a loop of size "
                              << nest.sizes[loop] << ", which the tile in " << gpu
                              << " does not divide";
  }
  return success();
}

Value NestDistributor::divide(Value value, int64_t by) {
  return by == 1 ? value : arith::DivUIOp::create(builder, loc, value, constant(by)).getResult();
}

Value NestDistributor::remainder(Value value, int64_t by) {
  return by == 1 ? constant(0)
                 : arith::RemUIOp::create(builder, loc, value, constant(by)).getResult();
}

/// Where tile number `tile` is along each parallel loop.
SmallVector<Value> NestDistributor::coordinates(Value tile) {
  SmallVector<int64_t> fastestFirst;
  if (context.vectorDim >= 0 && nest.isParallel(context.vectorDim))
    fastestFirst.push_back(context.vectorDim);
  for (int64_t loop : llvm::reverse(context.order))
    if (nest.isParallel(loop) && loop != context.vectorDim)
      fastestFirst.push_back(loop);
  SmallVector<Value> result(nest.numParallel);
  int64_t left = tiles;
  for (int64_t loop : fastestFirst) {
    if (counts[loop] == 1)
      continue;
    left /= counts[loop];
    result[loop] = left == 1 ? tile : remainder(tile, counts[loop]);
    if (left > 1)
      tile = divide(tile, counts[loop]);
  }
  return result;
}

/// Places the tile along the parallel loops from `depth` on: in the main part of each, or in the
/// rest.
void NestDistributor::emitPlaces(unsigned depth) {
  if (depth == nest.numParallel)
    return emitter->emitTile();
  unsigned loop = context.order[depth];
  SmallVector<LoopPart> parts = emitter->partsOf(loop);
  auto emitPart = [&](const LoopPart &part) {
    Value base;
    if (part.start)
      base = constant(part.start);
    else if (part.trips > 1)
      base = part.step == 1 ? places[loop]
                            : arith::MulIOp::create(builder, loc, places[loop], constant(part.step),
                                                    arith::IntegerOverflowFlags::nsw)
                                  .getResult();
    emitter->place(loop, base, part.pieces);
    emitPlaces(depth + 1);
  };
  if (parts.size() == 1)
    return emitPart(parts.front());
  Value isMain = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, places[loop],
                                       constant(parts.front().trips));
  auto branch = scf::IfOp::create(builder, loc, isMain, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emitPart(parts.front());
  builder.setInsertionPointToStart(branch.elseBlock());
  emitPart(parts.back());
}

/// A tile whose reduction lanes share. Which values there are does not depend on the place.
void NestDistributor::emitShared(Value tile, Value valid, bool again) {
  for (unsigned loop = 0; loop < nest.numParallel; ++loop) {
    const LoopPart part = emitter->partsOf(loop).front();
    Value base = places[loop];
    if (base && part.step != 1)
      base = arith::MulIOp::create(builder, loc, base, constant(part.step),
                                   arith::IntegerOverflowFlags::nsw);
    emitter->place(loop, base, part.pieces);
  }
  SmallVector<Value> sums;
  if (valid) {
    SmallVector<Type> types;
    for (const Instance &element : emitter->elements()) {
      Type type = nest.identity.getType();
      types.push_back(element.lanes > 1 ? VectorType::get({element.lanes}, type) : type);
    }
    auto branch = scf::IfOp::create(builder, loc, types, valid, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(builder, loc, emitter->reduce(/*guardsHold=*/false));
    builder.setInsertionPointToStart(branch.elseBlock());
    for (Type type : types)
      sums.push_back(isa<VectorType>(type)
                         ? vector::BroadcastOp::create(builder, loc, type, nest.identity)
                         : nest.identity);
    scf::YieldOp::create(builder, loc, sums);
    sums.assign(branch.getResults().begin(), branch.getResults().end());
  } else {
    sums = emitter->reduce(/*guardsHold=*/false);
  }

  OpBuilder locals(builder.getContext());
  auto function = nest.epilogue->getParentOfType<func::FuncOp>();
  locals.setInsertionPointToStart(&function.getBody().front());
  SharingLanes lanes{sharing, sharingFirst ? 1 : dealt, block.waveSize, block.lanes, block.lane};
  sums = combineAcrossLanes(builder, loc, nest.combine, sums, lanes, again, locals);

  Value number = sharingFirst ? remainder(block.lane, sharing) : divide(block.lane, dealt);
  Value writes = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, number, constant(0));
  if (valid)
    writes = arith::AndIOp::create(builder, loc, writes, valid);
  auto branch = scf::IfOp::create(builder, loc, writes, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emitter->finish(/*guardsHold=*/false, sums);
}

/// The tile of this lane from tile number `firstTile` (null for 0) on; `mayEnd` if there may be
/// fewer than lanes.
void NestDistributor::emit(Value firstTile, bool mayEnd, bool again) {
  SharedReduction shared;
  Value tile = block.lane;
  if (sharing > 1) {
    shared.loop = sharedLoop;
    shared.lanes = sharing;
    shared.lane = sharingFirst ? remainder(block.lane, sharing) : divide(block.lane, dealt);
    tile = sharingFirst ? divide(block.lane, sharing) : remainder(block.lane, dealt);
  }
  if (firstTile)
    tile = arith::AddIOp::create(builder, loc, tile, firstTile, arith::IntegerOverflowFlags::nsw);
  Value valid;
  if (mayEnd)
    valid = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, tile, constant(tiles));
  emitter.emplace(builder, context, tiling, shared);
  OpBuilder::InsertionGuard guard(builder);
  if (sharing > 1) {
    places = coordinates(tile);
    return emitShared(tile, valid, again);
  }
  if (valid) {
    auto branch = scf::IfOp::create(builder, loc, valid, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  places = coordinates(tile);
  emitPlaces(0);
}

void NestDistributor::distributeOverWorkgroups() {
  if (tiles == 0)
    return;
  auto groups = builder.getIndexAttr(llvm::divideCeil(tiles, dealt));
  auto loop = scf::ForallOp::create(builder, loc, ArrayRef<OpFoldResult>{builder.getIndexAttr(0)},
                                    ArrayRef<OpFoldResult>{groups},
                                    ArrayRef<OpFoldResult>{builder.getIndexAttr(1)},
                                    /*outputs=*/ValueRange(), /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getTerminator());
  Value first = arith::MulIOp::create(builder, loc, loop.getInductionVar(0), constant(dealt),
                                      arith::IntegerOverflowFlags::nsw);
  emit(first, tiles % dealt != 0, /*again=*/false);
}

void NestDistributor::distributeOverLanes(bool again) {
  if (tiles == 0)
    return;
  if (tiles <= dealt)
    return emit(Value(), tiles < dealt, again);
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(llvm::alignTo(tiles, dealt)),
                                 constant(dealt));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  emit(loop.getInductionVar(), tiles % dealt != 0, /*again=*/true);
}

//===----------------------------------------------------------------------===//
// All nests of a kernel
//===----------------------------------------------------------------------===//

/// Whether `second` must wait until all lanes have done `first`. Arguments may share memory, where
/// a result takes over the buffer of an input.
static bool conflict(const KernelNest &first, const KernelNest &second) {
  auto mayBeOne = [](Value a, Value b) {
    return a == b || (isa<BlockArgument>(a) && isa<BlockArgument>(b));
  };
  auto touches = [&](const KernelNest &nest, Value buffer) {
    return mayBeOne(nest.store.source, buffer) || llvm::any_of(nest.accesses, [&](auto &entry) {
             return mayBeOne(entry.second.source, buffer);
           });
  };
  return touches(first, second.store.source) || touches(second, first.store.source);
}

namespace {
struct DistributeLoopsPass : tiny::impl::DistributeLoopsPassBase<DistributeLoopsPass> {
  using DistributeLoopsPassBase::DistributeLoopsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    if (failed(distribute(function)))
      return signalPassFailure();
    foldOperations(function);
    OpPassManager cleanup(func::FuncOp::getOperationName());
    addCleanup(cleanup);
    if (failed(runPipeline(cleanup, function)) || failed(fitLocals(function, maxLocalBytes)))
      return signalPassFailure();
  }

  LogicalResult distribute(func::FuncOp function) {
    if (function.getOps<linalg::GenericOp>().empty() &&
        !function.walk([](linalg::GenericOp) { return WalkResult::interrupt(); }).wasInterrupted())
      return success(); // contracted, all of it
    FailureOr<KernelNests> kernel = KernelNests::get(function);
    if (failed(kernel))
      return failure();
    FailureOr<SmallVector<NestTiling>> tilings = kernel->tilings(function);
    if (failed(tilings))
      return failure();

    Workgroup block{waveSize, waveSize, {}};
    if (auto known = function->getAttrOfType<IntegerAttr>(kBlockAttrName))
      block.lanes = known.getInt();
    for (auto [nest, tiling] : llvm::zip(kernel->nests, *tilings)) {
      if (!tiling.gpu)
        return nest.epilogue.emitOpError() << "has no tiling for a GPU: " << tiling.attribute;
      block.lanes =
          std::max<int64_t>(block.lanes, llvm::alignTo(productOf(tiling.gpu.getLanes()), waveSize));
    }
    OpBuilder builder(function.getBody());
    function->setAttr(kBlockAttrName, builder.getI64IntegerAttr(block.lanes));
    if (!function->hasAttr(kModeAttrName))
      function->setAttr(kModeAttrName, builder.getStringAttr(
                                           stringifyWorkgroupMode(tilings->front().gpu.getMode())));
    block.lane = gpu::ThreadIdOp::create(builder, function.getLoc(), gpu::Dimension::x);

    llvm::DenseMap<Value, Value> flat = flattenBuffers(function);
    SmallVector<bool> alone = kernel->alone();
    std::vector<NestDistributor> nests;
    nests.reserve(kernel->nests.size());
    std::vector<std::optional<ContractionPlan>> contractions(kernel->nests.size());
    int64_t words = 0; // of LDS for contractions, which take turns
    for (auto [number, nest] : llvm::enumerate(kernel->nests)) {
      const NestTiling &tiling = (*tilings)[number];
      nests.emplace_back(nest, tiling, block, flat, hasFma);
      if (tiling.gpu.getContract() == Contraction::none) {
        if (failed(nests.back().check()))
          return failure();
        continue;
      }
      std::optional<ContractionPlan> &plan = contractions[number];
      plan = ContractionPlan::get(nest, tiling.gpu, waveSize, /*inWorkgroup=*/true);
      if (alone[number] || !plan || plan->numLanes != block.lanes)
        return nest.epilogue.emitOpError()
               << "is no contraction of a workgroup of " << block.lanes << " lanes, with "
               << "other nests in it, that " << tiling.attribute << " fits";
      words = std::max(words, plan->ldsWords());
    }
    Value staging = words ? allocateStaging(function, words) : Value();
    SmallVector<const KernelNest *> unordered; // those since the last barrier
    Operation *before = nullptr;
    for (auto [number, nest] : llvm::enumerate(kernel->nests)) {
      if (alone[number]) {
        nests[number].distributeOverWorkgroups();
        continue;
      }
      Operation *parent = nest.epilogue->getParentOp();
      // Those before may still read what was staged for them.
      if (contractions[number] || needsBarrier(nest, parent, before, unordered)) {
        builder.setInsertionPoint(nest.epilogue);
        gpu::BarrierOp::create(builder, nest.loc());
        unordered.clear();
      }
      unordered.push_back(&nest);
      before = parent;
      if (!contractions[number]) {
        nests[number].distributeOverLanes(/*again=*/isa<scf::ForOp>(parent));
        continue;
      }
      const ContractionPlan &plan = *contractions[number];
      SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(nest.numLoops()));
      EmissionContext context{nest, plan.storeLoop(nest), order, hasFma, flat, /*simt=*/true};
      builder.setInsertionPoint(nest.epilogue);
      ContractionEmitter::emitTiles(builder, context, plan, block.lane, staging);
    }
    for (KernelNest &nest : kernel->nests)
      eraseNest(nest);
    return success();
  }

  /// Where the factors of contractions lie while they are multiplied.
  static Value allocateStaging(func::FuncOp function, int64_t words) {
    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    auto space = gpu::AddressSpaceAttr::get(function.getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({words}, builder.getI32Type(), MemRefLayoutAttrInterface(), space);
    return memref::AllocaOp::create(builder, function.getLoc(), type,
                                    builder.getI64IntegerAttr(accessBytes));
  }

  /// Whether `nest` in `parent` waits for `unordered`, the last of which are in `before`.
  static bool needsBarrier(const KernelNest &nest, Operation *parent, Operation *before,
                           SmallVectorImpl<const KernelNest *> &unordered) {
    // A step of a loop over blocks waits for the one before.
    if (parent != before && (isa<scf::ForOp>(parent) || isa_and_present<scf::ForOp>(before)))
      return true;
    if (parent != before) // another workgroup
      unordered.clear();
    return llvm::any_of(unordered, [&](const KernelNest *other) { return conflict(*other, nest); });
  }
};
} // namespace
