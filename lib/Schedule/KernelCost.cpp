//===- KernelCost.cpp - count what a scheduled program costs --------------===//
//
// Ops are iterations times what the body holds, since a body is a straight line;
// bytes are footprints. Each kernel is counted once for every way in which its
// launches give it one buffer twice, so the whole is linear in the program.
//
//===----------------------------------------------------------------------===//

#include "Footprint.h"
#include "KernelAccess.h"
#include "Tiny/IR/OnlineReduce.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Schedule/Report.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// What kind of work `op` is; nothing where it is none: constants, indices, reads, and what only
/// gives the same bits another type.
static std::optional<OpKind> kindOf(Operation &op) {
  return llvm::TypeSwitch<Operation *, std::optional<OpKind>>(&op)
      .Case<arith::ConstantOp, arith::BitcastOp, arith::IndexCastOp, arith::IndexCastUIOp,
            linalg::IndexOp, linalg::YieldOp, affine::AffineApplyOp, ReadOp, PlaceOp>(
          [](auto) { return std::nullopt; })
      .Case<arith::AddFOp, arith::SubFOp, arith::NegFOp>([](auto) { return OpKind::add; })
      .Case([](arith::MulFOp) { return OpKind::mul; })
      .Case([](arith::DivFOp) { return OpKind::div; })
      .Case([](math::SqrtOp) { return OpKind::sqrt; })
      .Case([](math::Exp2Op) { return OpKind::exp2; })
      .Case([](math::Log2Op) { return OpKind::log2; })
      .Case([](math::SinOp) { return OpKind::sin; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MinimumFOp, arith::MinNumFOp>(
          [](auto) { return OpKind::max; })
      .Case<arith::CmpFOp, arith::CmpIOp>([](auto) { return OpKind::cmp; })
      .Case([](arith::SelectOp) { return OpKind::where; })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp,
            arith::FPToUIOp, arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(
          [](auto) { return OpKind::cast; })
      .Default([](Operation *other) {
        bool isFloat = llvm::any_of(other->getResultTypes(), llvm::IsaPred<FloatType>);
        return isFloat ? OpKind::other : OpKind::integer;
      });
}

static OpCounts countOps(linalg::LinalgOp op) {
  uint64_t iterations = 1;
  for (int64_t extent : op.getStaticLoopRanges())
    iterations = llvm::SaturatingMultiply<uint64_t>(iterations, extent);
  OpCounts body, counts;
  for (Operation &inner : *op.getBlock()) {
    std::optional<OpKind> kind = kindOf(inner);
    if (isa<math::FmaOp>(inner)) {
      ++body.counts[static_cast<size_t>(OpKind::mul)];
      kind = OpKind::add;
    }
    if (kind)
      ++body.counts[static_cast<size_t>(*kind)];
  }
  counts.add(body, iterations);
  return counts;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Whether `value` depends on no data but on loops and constants.
static bool isPosition(Value value) {
  Operation *op = value.getDefiningOp();
  return op && !isa<ReadOp>(op) && llvm::all_of(op->getOperands(), isPosition);
}

/// i1 lies in memory as i8: `x != 0`, and back.
static bool isStorageConversion(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return compare.getPredicate() == arith::CmpIPredicate::ne &&
           matchPattern(compare.getRhs(), m_Zero());
  auto extend = dyn_cast<arith::ExtUIOp>(op);
  return extend && extend.getIn().getType().isInteger(1);
}

/// Whether `value` is an element of an argument, or a constant at some positions; sets `reads`.
static bool isMoved(linalg::LinalgOp op, Value value, bool &reads) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != op.getBlock())
      return false;
    Value operand = op->getOperand(argument.getArgNumber());
    while (auto slice = operand.getDefiningOp<tensor::ExtractSliceOp>())
      operand = slice.getSource();
    reads = true;
    return isa<BlockArgument>(operand);
  }
  Operation *producer = value.getDefiningOp();
  if (isa<ReadOp>(producer))
    return reads = true;
  if (isa<arith::ConstantOp>(producer))
    return true;
  if (auto select = dyn_cast<arith::SelectOp>(producer))
    return isPosition(select.getCondition()) && isMoved(op, select.getTrueValue(), reads) &&
           isMoved(op, select.getFalseValue(), reads);
  return isStorageConversion(producer) && isMoved(op, producer->getOperand(0), reads);
}

static bool isCopy(linalg::LinalgOp op) {
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  bool reads = false;
  return op.getNumReductionLoops() == 0 && yield->getNumOperands() == 1 &&
         isMoved(op, yield->getOperand(0), reads) && reads;
}

//===----------------------------------------------------------------------===//
// Locals
//===----------------------------------------------------------------------===//

namespace {
/// The loops of an op of a kernel, and how it accesses what other ops compute.
struct LoopOp {
  Operation *op;
  SmallVector<int64_t> extents;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineMap> maps;    // by operand
  SmallVector<AffineMap> results; // by result
};
} // namespace

static std::vector<LoopOp> loopOpsOf(func::FuncOp kernel) {
  std::vector<LoopOp> ops;
  for (Operation &op : kernel.getOps()) {
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      ops.push_back({&op,
                     linalgOp.getStaticLoopRanges(),
                     linalgOp.getIteratorTypesArray(),
                     linalgOp.getIndexingMapsArray(),
                     {}});
      ops.back().results.assign({linalgOp.getIndexingMapsArray().back()});
    } else if (auto online = dyn_cast<OnlineReduceOp>(op)) {
      ops.push_back({&op, online.getLoopExtents(), online.getLoopIteratorTypes(), {}, {}});
      llvm::append_range(ops.back().maps, online.getMaps().getAsValueRange<AffineMapAttr>());
      for (unsigned number = 0; number < online.getInits().size(); ++number)
        ops.back().results.push_back(online.getInitMap(number));
    }
  }
  return ops;
}

/// Bytes of the locals of a workgroup that has one iteration of the loops that its nests share: a
/// larger tile has as many times more. Loops of two ops are one where a value of the kernel
/// connects them; they are shared if each op of the group has exactly one, a parallel one. Of the
/// loop of an online reduction, which is taken in blocks, one iteration is counted as well.
static uint64_t countLocalBytes(func::FuncOp kernel) {
  std::vector<LoopOp> ops = loopOpsOf(kernel);
  SmallVector<unsigned> firstLoop;
  llvm::DenseMap<Operation *, unsigned> numberOf;
  unsigned numLoops = 0;
  for (auto [number, op] : llvm::enumerate(ops)) {
    numberOf[op.op] = number;
    firstLoop.push_back(numLoops);
    numLoops += op.extents.size();
  }
  llvm::IntEqClasses loops(numLoops), groups(ops.size());
  for (auto [number, op] : llvm::enumerate(ops))
    for (auto [operand, read] : llvm::zip(op.op->getOperands(), op.maps)) {
      auto writer = numberOf.find(operand.getDefiningOp());
      if (writer == numberOf.end())
        continue;
      unsigned other = writer->second;
      groups.join(number, other);
      AffineMap write = ops[other].results[cast<OpResult>(operand).getResultNumber()];
      for (auto [to, from] : llvm::zip(read.getResults(), write.getResults()))
        if (isa<AffineDimExpr>(to) && isa<AffineDimExpr>(from))
          loops.join(firstLoop[number] + cast<AffineDimExpr>(to).getPosition(),
                     firstLoop[other] + cast<AffineDimExpr>(from).getPosition());
    }
  loops.compress();
  groups.compress();

  // Per class of loops: how many, whether all are parallel, and in which group.
  SmallVector<unsigned> members(loops.getNumClasses(), 0), sizes(groups.getNumClasses(), 0);
  llvm::BitVector allParallel(loops.getNumClasses(), true), inBlocks(loops.getNumClasses(), false);
  for (auto [number, op] : llvm::enumerate(ops)) {
    if (!op.extents.empty()) // a fill of a scalar has none to share
      ++sizes[groups[number]];
    for (auto [loop, iterator] : llvm::enumerate(op.iterators)) {
      unsigned loopClass = loops[firstLoop[number] + loop];
      ++members[loopClass];
      if (iterator == utils::IteratorType::parallel)
        continue;
      allParallel.reset(loopClass);
      if (isa<OnlineReduceOp>(op.op))
        inBlocks.set(loopClass);
    }
  }
  SmallVector<uint64_t> bytes(groups.getNumClasses(), 0);
  auto addLocal = [&](unsigned number, Type element, AffineMap map) {
    uint64_t local = element.getIntOrFloatBitWidth() / 8;
    for (AffineExpr expr : map.getResults()) {
      unsigned loop = cast<AffineDimExpr>(expr).getPosition();
      unsigned loopClass = loops[firstLoop[number] + loop];
      bool isShared = allParallel[loopClass] && members[loopClass] == sizes[groups[number]];
      local = llvm::SaturatingMultiply<uint64_t>(
          local, isShared || inBlocks[loopClass] ? 1 : ops[number].extents[loop]);
    }
    bytes[groups[number]] = llvm::SaturatingAdd(bytes[groups[number]], local);
  };
  for (auto [number, op] : llvm::enumerate(ops)) {
    if (auto online = dyn_cast<OnlineReduceOp>(op.op)) {
      // The weights; the sums lie where their inits do.
      addLocal(number, online.getWeight().front().getTerminator()->getOperand(0).getType(),
               online.getMap(0));
      continue;
    }
    auto linalgOp = cast<linalg::LinalgOp>(op.op);
    if (!isa<linalg::FillOp>(op.op) && linalgOp.getNumReductionLoops() == 0 &&
        !destinationOf(linalgOp.getDpsInits().front()))
      addLocal(number, getElementTypeOrSelf(op.op->getResult(0)), op.results.front());
  }
  return bytes.empty() ? 0 : *llvm::max_element(bytes);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// `kernel` with its online reductions as nests, in one step: what they do in any number of steps,
/// but for one rescaling of the sums in each.
static OwningOpRef<func::FuncOp> withoutOnlineReductions(func::FuncOp kernel) {
  OwningOpRef<func::FuncOp> copy(kernel.clone());
  if (failed(decomposeOnlineReductions(*copy, /*blockBytes=*/0)))
    return {};
  return copy;
}

/// `buffers` numbers the buffer that each argument lies in: two arguments may share one.
static FailureOr<KernelCost> costOf(func::FuncOp whole, ArrayRef<unsigned> buffers,
                                    EnumerationBudget &budget) {
  OwningOpRef<func::FuncOp> owned = withoutOnlineReductions(whole);
  if (!owned)
    return failure();
  func::FuncOp kernel = *owned;
  FailureOr<SmallVector<KernelAccess>> accesses = collectAccesses(kernel);
  if (failed(accesses))
    return failure();
  KernelCost cost;
  cost.name = kernel.getName().str();
  for (auto op : kernel.getOps<linalg::LinalgOp>())
    cost.each.ops.add(countOps(op));
  cost.each.localBytes = countLocalBytes(whole);

  auto typeOf = [&](unsigned argument) {
    return cast<RankedTensorType>(kernel.getArgumentTypes()[argument]);
  };
  std::map<unsigned, Footprint> read, written; // by buffer, by argument
  std::map<unsigned, unsigned> elementBytes;   // by buffer
  for (const KernelAccess &access : *accesses) {
    RankedTensorType type = typeOf(access.argument);
    unsigned buffer = buffers[access.argument];
    elementBytes[buffer] = type.getElementTypeBitWidth() / 8;
    (access.isWrite ? written : read)
        .try_emplace(buffer, type.getNumElements(), budget)
        .first->second.add(access);
  }
  auto bytesOf = [&](unsigned buffer, const Footprint &footprint) {
    ElementCount count = footprint.count();
    return ByteCount{static_cast<uint64_t>(count.elements) * elementBytes[buffer], count.exact};
  };
  for (auto &[buffer, footprint] : read)
    cost.each.read.add(bytesOf(buffer, footprint));
  for (auto &[buffer, footprint] : written)
    cost.each.written.add(bytesOf(buffer, footprint));

  auto reason = kernel->getAttrOfType<StringAttr>("tiny.reason");
  for (auto op : kernel.getOps<linalg::LinalgOp>()) {
    BlockArgument destination = destinationOf(op.getDpsInits().front());
    if (destination && isCopy(op))
      if (auto found = written.find(buffers[destination.getArgNumber()]); found != written.end())
        cost.copies.push_back(
            {bytesOf(found->first, found->second), reason ? reason.str() : std::string()});
  }
  return cost;
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

/// Which arguments of the launch are the same buffer, as the number of the first one each.
static SmallVector<unsigned> buffersOf(LaunchOp launch) {
  SmallVector<Value> values(launch.getInputs());
  SmallVector<unsigned> buffers;
  for (auto [number, value] : llvm::enumerate(values)) {
    SlotAttr slot = slotOf(value);
    unsigned first = 0;
    while (first < number && values[first] != value && (!slot || slotOf(values[first]) != slot))
      ++first;
    buffers.push_back(first);
  }
  // What is written is counted apart from what is read, also if it lies in the same place.
  for (unsigned number = values.size(), end = number + launch.getNumResults(); number < end;
       ++number)
    buffers.push_back(number);
  return buffers;
}

static uint64_t bytesOf(TypeRange types) {
  uint64_t bytes = 0;
  for (Type type : types)
    bytes += storageBytes(cast<RankedTensorType>(type));
  return bytes;
}

FailureOr<ProgramCost> mlir::tiny::analyseCost(ModuleOp module, StringRef entry) {
  SymbolTable symbols(module);
  auto host = symbols.lookup<func::FuncOp>(entry);
  if (!host || host.isExternal())
    return module.emitError() << "there is no function @" << entry << " to count";
  auto bytesAttr = [&](StringRef name) -> uint64_t {
    auto attribute = host->getAttrOfType<IntegerAttr>(name);
    return attribute ? attribute.getInt() : 0;
  };
  ProgramCost program;
  program.entry = entry.str();
  program.arguments = bytesOf(host.getArgumentTypes());
  for (Value result : host.getBody().front().getTerminator()->getOperands())
    if (SlotAttr slot = slotOf(result); !slot || slot.getSegment() != Segment::argument)
      program.results += bytesOf(TypeRange(result.getType()));
  program.constants = bytesAttr("tiny.constants_bytes");
  program.workspace = bytesAttr("tiny.workspace_bytes");
  program.workspaceLowerBound = bytesAttr("tiny.workspace_lower_bound");

  EnumerationBudget budget;
  std::map<std::pair<void *, std::vector<unsigned>>, uint32_t> numbers;
  for (auto launch : host.getBody().front().getOps<LaunchOp>()) {
    auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
    if (!kernel || kernel.isExternal())
      return launch.emitOpError() << "launches a kernel without a body, which cannot be counted";
    SmallVector<unsigned> buffers = buffersOf(launch);
    auto [found, isNew] =
        numbers.try_emplace({kernel.getOperation(), {buffers.begin(), buffers.end()}},
                            static_cast<uint32_t>(program.kernels.size()));
    if (isNew) {
      FailureOr<KernelCost> cost = costOf(kernel, buffers, budget);
      if (failed(cost))
        return failure();
      program.kernels.push_back(std::move(*cost));
    }
    ++program.kernels[found->second].launches;
    program.launches.push_back(found->second);
  }
  return program;
}
