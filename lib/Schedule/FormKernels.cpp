//===- FormKernels.cpp - from a program of tiny ops to kernels ------------===//
//
// For every value that exists in memory (Materialisation.h): trace its scalar
// program (KernelGraph.h), find its loops and its reduction (Nest.h), in parts where
// it is made of other values (Parts.h). Group these nests into kernels (Grouping.h),
// write them down as linalg (KernelWriter.h), and launch them from the host function.
//
//===----------------------------------------------------------------------===//

#include "Grouping.h"
#include "KernelWriter.h"
#include "Parts.h"
#include "SplitReductions.h"
#include "Tiny/Schedule/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "Tiny/Schedule/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static RankedTensorType tensorOf(Value value) { return cast<RankedTensorType>(value.getType()); }

namespace {
struct FormKernelsPass : public tiny::impl::FormKernelsPassBase<FormKernelsPass> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

/// Every returned value gets a buffer of its own: one that is an argument, a constant or returned
/// before is copied by a reshape that changes nothing.
static void separateResults(func::FuncOp function) {
  auto terminator = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  OpBuilder b(terminator);
  llvm::SmallDenseSet<Value> seen;
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value value = operand.get();
    bool computed = value.getDefiningOp() && !isa<ConstantOp>(value.getDefiningOp());
    if (!computed || !seen.insert(value).second)
      operand.set(ReshapeOp::create(b, value.getLoc(), value.getType(), value));
  }
}

/// The reductions that combine nothing: over dims of size 1 (a reshape), and over no elements (the
/// identity everywhere). What is left has at least one loop that reduces.
static void replaceTrivialReductions(func::FuncOp function) {
  for (ReduceOp reduce : llvm::make_early_inc_range(function.getOps<ReduceOp>())) {
    RankedTensorType input = reduce.getInput().getType(), type = reduce.getType();
    OpBuilder b(reduce);
    Value replacement;
    if (input.getNumElements() == type.getNumElements())
      replacement = ReshapeOp::create(b, reduce.getLoc(), type, reduce.getInput());
    else if (input.getNumElements() == 0)
      replacement = ConstantOp::create(
          b, reduce.getLoc(),
          DenseElementsAttr::get(
              type, Attribute(reduceIdentity(reduce.getKind(), type.getElementType()))));
    if (!replacement)
      continue;
    reduce.replaceAllUsesWith(replacement);
    reduce.erase();
  }
}

/// Nothing outside the language reaches the Schedule stage.
static LogicalResult checkProgram(func::FuncOp function) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError() << "has control flow; a tiny program is one block";
  for (Type type : function.getFunctionType().getInputs())
    if (!isa<RankedTensorType>(type))
      return function.emitOpError() << "takes " << type << "; only static tensors can be passed";
  for (Operation &op : function.getBody().front()) {
    bool known = isa<TinyDialect>(op.getDialect()) && !isa<LaunchOp, ReadOp>(op);
    if (!known && !isa<func::ReturnOp>(op))
      return op.emitOpError() << "is not part of a tiny program; only tiny ops and func.return are";
  }
  return success();
}

namespace {
/// Replaces the ops of the host function by launches.
class HostWriter {
public:
  HostWriter(ModuleOp module, func::FuncOp function)
      : module(module), block(function.getBody().front()), symbols(module), b(function) {}

  void launch(const Kernel &kernel, const Materialisation &materialisation);
  /// What computed the old values goes; expectations, which are looked at when all is done, and the
  /// return read the new ones.
  void finish();

private:
  ModuleOp module;
  Block &block;
  SymbolTable symbols;
  OpBuilder b;
  llvm::DenseMap<Value, Value> computed;
  llvm::DenseMap<Value, Value> latest; // of a buffer that is written in parts
};
} // namespace

void HostWriter::launch(const Kernel &kernel, const Materialisation &materialisation) {
  KernelWriter writer(b, kernel);
  b.setInsertionPointToEnd(module.getBody());
  func::FuncOp written = writer.write(kernel.name());
  symbols.insert(written);
  // For the report: why there is a kernel that computes nothing.
  for (const Nest &nest : kernel.nests)
    if (nest.movesOnly())
      written->setAttr("tiny.reason",
                       b.getStringAttr(nest.updates ? "it is written into the value that it updates"
                                       : nest.domain.dataNodes.empty()
                                           ? materialisation.reason(nest.result)
                                           : "it is a look-up at places that data decides"));

  SmallVector<Value> operands;
  for (Value input : writer.inputs())
    operands.push_back(computed.count(input) ? computed.lookup(input) : input);
  SmallVector<Type> types;
  SmallVector<Value> inits;
  SmallVector<int64_t> updates;
  SmallVector<const Nest *> results = kernel.results();
  for (auto [number, nest] : llvm::enumerate(results)) {
    types.push_back(nest->buffer().getType());
    Value init = latest.lookup(nest->buffer());
    if (!init && nest->updates)
      init = computed.count(nest->updates) ? computed.lookup(nest->updates) : nest->updates;
    if (init) {
      inits.push_back(init);
      updates.push_back(number);
    }
  }
  b.setInsertionPoint(block.getTerminator());
  auto launch = LaunchOp::create(b, written.getLoc(), types, written.getSymName(), operands);
  if (!inits.empty()) {
    launch.getInitsMutable().assign(inits);
    launch.setUpdates(updates);
  }
  for (auto [nest, result] : llvm::zip_equal(results, launch.getOutputs())) {
    for (Value value : nest->written())
      computed[value] = result;
    if (nest->writesPart())
      latest[nest->buffer()] = result;
  }
}

void HostWriter::finish() {
  SmallVector<Operation *> old, readers;
  for (Operation &op : block) {
    if (isa<func::ReturnOp, ExpectEqOp, ExpectCloseOp>(op))
      readers.push_back(&op);
    else if (!isa<ConstantOp, LaunchOp>(op))
      old.push_back(&op);
  }
  Operation *terminator = block.getTerminator();
  b.setInsertionPoint(terminator);
  for (Operation *op : readers) {
    if (op != terminator)
      op->moveBefore(terminator);
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (computed.count(value)) {
        operand.set(computed.lookup(value));
      } else if (tensorOf(value).getNumElements() == 0 && value.getDefiningOp()) {
        // Without elements there is nothing to compute.
        b.setInsertionPoint(op);
        auto empty = DenseElementsAttr::get(tensorOf(value), ArrayRef<Attribute>());
        operand.set(ConstantOp::create(b, value.getLoc(), empty));
      }
    }
  }
  for (Operation *op : llvm::reverse(old))
    op->erase();
  for (Operation &op : llvm::make_early_inc_range(block))
    if (isa<ConstantOp>(op) && op.use_empty())
      op.erase();
}

void FormKernelsPass::runOnOperation() {
  ModuleOp module = getOperation();
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function || function.isExternal()) {
    module.emitError() << "there is no function @" << entry << " to schedule";
    return signalPassFailure();
  }
  if (failed(checkProgram(function)))
    return signalPassFailure();
  replaceTrivialReductions(function);
  separateResults(function);

  GroupingCosts costs;
  costs.localBytes = localBytes;
  costs.parallelUnits = parallelUnits;
  costs.matrixRows = matrixRows;
  costs.maxNests = group ? costs.maxNests : 1;
  costs.remarks = module.getContext()->getRemarkEngine() != nullptr;
  Materialisation materialisation(function);
  if (group && splitReductions(function, materialisation, costs)) {
    replaceTrivialReductions(function);
    materialisation = Materialisation(function);
  }
  Block &block = function.getBody().front();
  llvm::DenseSet<Value> escapes; // values that the host function needs
  for (Operation &op : block)
    if (isa<func::ReturnOp, ExpectEqOp, ExpectCloseOp>(op))
      escapes.insert(op.operand_begin(), op.operand_end());

  auto formNests = [&](bool parts) {
    NestBuilder builder(materialisation, escapes, parts, costs.remarks);
    for (Operation &op : llvm::reverse(block))
      if (op.getNumResults() == 1 && materialisation.isRoot(op.getResult(0)) &&
          tensorOf(op.getResult(0)).getNumElements() != 0)
        builder.add(op.getResult(0));
    return builder.take();
  };
  // Parts that turn out not to be boxes of their wholes are rare, and found out late.
  std::optional<std::vector<Nest>> nests = formNests(/*parts=*/group);
  if (!nests)
    nests = formNests(/*parts=*/false);
  std::vector<Kernel> kernels = groupNests(std::move(*nests), escapes, costs);

  HostWriter host(module, function);
  for (const Kernel &kernel : kernels)
    host.launch(kernel, materialisation);
  host.finish();
}
