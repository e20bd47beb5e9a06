//===- KernelNests.cpp - the nests of a kernel and what connects them -----===//

#include "KernelNest.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/IntEqClasses.h"

using namespace mlir;
using namespace mlir::tiny;

FailureOr<KernelNests> KernelNests::get(func::FuncOp function) {
  KernelNests kernel;
  // The accumulators that wait for their reduction, and the reduction that waits for its epilogue.
  llvm::DenseMap<Value, linalg::FillOp> filled;
  linalg::GenericOp reduction;
  linalg::FillOp fill;
  WalkResult walk = function.walk<WalkOrder::PreOrder>([&](linalg::LinalgOp op) -> WalkResult {
    if (auto found = dyn_cast<linalg::FillOp>(*op)) {
      filled[op->getNumResults() ? op->getResult(0) : found.getOutputs()[0]] = found;
      return WalkResult::skip();
    }
    auto generic = dyn_cast<linalg::GenericOp>(*op);
    bool isScan = generic && generic.getNumDpsInits() == 2;
    if (!generic || (generic.getNumDpsInits() != 1 && !isScan))
      return op->emitOpError() << "is in a kernel, which has linalg.fill and linalg.generic ops "
                                  "with one result only, or two in a scan";
    Value init = generic.getDpsInits()[0];
    auto start = filled.find(init);
    if (isScan && (start == filled.end() || reduction))
      return op->emitOpError() << "is a scan, which must start from a linalg.fill";
    if (isScan) {
      FailureOr<KernelNest> nest = KernelNest::get(start->second, generic, generic);
      if (failed(nest))
        return WalkResult::interrupt();
      kernel.nests.push_back(std::move(*nest));
      filled.erase(start);
      return WalkResult::skip();
    }
    if (start == filled.end() && generic.getNumReductionLoops())
      return op->emitOpError() << "must start from a linalg.fill with the identity";
    if (start != filled.end()) {
      if (reduction)
        return reduction.emitOpError() << "has no epilogue behind it";
      reduction = generic;
      fill = start->second;
      filled.erase(start);
      return WalkResult::skip();
    }
    FailureOr<KernelNest> nest = KernelNest::get(fill, reduction, generic);
    if (failed(nest))
      return WalkResult::interrupt();
    kernel.nests.push_back(std::move(*nest));
    reduction = {};
    fill = {};
    return WalkResult::skip();
  });
  if (walk.wasInterrupted())
    return failure();
  if (reduction)
    return reduction.emitOpError() << "has no epilogue behind it";
  if (kernel.nests.empty())
    return function.emitOpError() << "is a kernel without a linalg.generic op";
  return kernel;
}

/// The ops that compute `value`: one, but for what a loop carries, which is the value before the
/// loop and that of an iteration.
static void collectWriters(Value value, llvm::SmallPtrSetImpl<Operation *> &writers) {
  scf::ForOp loop = value.getDefiningOp<scf::ForOp>();
  unsigned number = 0;
  if (loop) {
    number = cast<OpResult>(value).getResultNumber();
  } else if (auto argument = dyn_cast<BlockArgument>(value)) {
    loop = dyn_cast_or_null<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument == loop.getInductionVar())
      return;
    number = argument.getArgNumber() - loop.getNumInductionVars();
  } else {
    writers.insert(value.getDefiningOp());
    return;
  }
  collectWriters(loop.getInitArgs()[number], writers);
  Value carried = loop.getYieldedValues()[number];
  if (carried.getDefiningOp())
    collectWriters(carried, writers);
}

SmallVector<NestGroup> KernelNests::groups() const {
  // All loops of all nests are numbered in a row.
  SmallVector<unsigned> firstLoop;
  unsigned numLoops = 0;
  llvm::DenseMap<Operation *, unsigned> writers;
  for (auto [number, nest] : llvm::enumerate(nests)) {
    writers[nest.epilogue] = number;
    firstLoop.push_back(numLoops);
    numLoops += nest.numLoops();
  }
  llvm::IntEqClasses connected(nests.size()), same(numLoops);
  for (auto [number, nest] : llvm::enumerate(nests)) {
    for (linalg::GenericOp op : {nest.reduction, nest.epilogue}) {
      if (!op)
        continue;
      for (OpOperand *input : op.getDpsInputOperands()) {
        llvm::SmallPtrSet<Operation *, 2> sources;
        collectWriters(input->get(), sources);
        for (Operation *source : sources) {
          auto writer = writers.find(source);
          if (writer == writers.end())
            continue;
          connected.join(writer->second, number);
          for (auto [dim, expr] : llvm::enumerate(op.getMatchingIndexingMap(input).getResults()))
            same.join(firstLoop[writer->second] + dim,
                      firstLoop[number] + cast<AffineDimExpr>(expr).getPosition());
        }
      }
    }
  }
  connected.compress();
  same.compress();

  SmallVector<NestGroup> groups(connected.getNumClasses());
  for (unsigned number = 0; number < nests.size(); ++number)
    groups[connected[number]].nests.push_back(number);
  for (NestGroup &group : groups) {
    unsigned first = group.nests.front();
    for (unsigned loop = 0; loop < nests[first].numParallel; ++loop) {
      // One loop of each nest, and a parallel one.
      SmallVector<unsigned> members;
      for (unsigned number : group.nests) {
        SmallVector<unsigned> own;
        for (unsigned other = 0; other < nests[number].numLoops(); ++other)
          if (same[firstLoop[number] + other] == same[firstLoop[first] + loop])
            own.push_back(other);
        if (own.size() == 1 && nests[number].isParallel(own.front()))
          members.push_back(own.front());
      }
      if (members.size() == group.nests.size())
        group.shared.push_back(members);
    }
  }
  return groups;
}

SmallVector<bool> KernelNests::alone() const {
  llvm::IntEqClasses connected(nests.size());
  for (auto [number, nest] : llvm::enumerate(nests))
    for (auto [other, reader] : llvm::enumerate(nests))
      for (const auto &entry : reader.accesses)
        if (other != number && entry.second.source == nest.store.source)
          connected.join(number, other);
  SmallVector<unsigned> members(nests.size());
  for (unsigned number = 0; number < nests.size(); ++number)
    ++members[connected.findLeader(number)];
  SmallVector<bool> alone;
  for (auto [number, nest] : llvm::enumerate(nests))
    alone.push_back(members[connected.findLeader(number)] == 1 &&
                    isa<func::FuncOp>(linalg::GenericOp(nest.epilogue)->getParentOp()));
  return alone;
}

NestTiling::NestTiling(TilingAttr cpu)
    : attribute(cpu), grid(cpu.getGrid()), unroll(cpu.getUnroll()), order(cpu.getOrder()),
      vectorDim(cpu.getVectorDim()), vectorWidth(cpu.getVectorWidth()) {}

NestTiling::NestTiling(GPUTilingAttr gpu)
    : attribute(gpu), gpu(gpu), grid(gpu.getGrid()), unroll(gpu.getUnroll()), order(gpu.getOrder()),
      vectorDim(gpu.getVectorDim()), vectorWidth(gpu.getVectorWidth()) {}

NestTiling::NestTiling(DictionaryAttr panels) : attribute(panels), panels(panels) {
  if (auto sizes = panels.getAs<DenseI64ArrayAttr>(gridName))
    grid = sizes.asArrayRef();
}

FailureOr<SmallVector<NestTiling>> KernelNests::tilings(func::FuncOp function) const {
  auto array = function->getAttrOfType<ArrayAttr>(tilingAttrName);
  if (!array)
    return function.emitOpError() << "has no " << tilingAttrName
                                  << ", a list; run tiny-tile-select-tiling-cpu (or -rdna3) first";
  SmallVector<NestTiling> tilings;
  for (Attribute attribute : array) {
    if (auto cpu = dyn_cast<TilingAttr>(attribute))
      tilings.emplace_back(cpu);
    else if (auto gpu = dyn_cast<GPUTilingAttr>(attribute))
      tilings.emplace_back(gpu);
    else if (auto panels = dyn_cast<DictionaryAttr>(attribute))
      tilings.emplace_back(panels);
  }
  if (tilings.size() != array.size() || tilings.size() != nests.size())
    return function.emitOpError() << "has " << nests.size() << " nests, which " << tilingAttrName
                                  << " = " << array << " does not fit";
  return tilings;
}
