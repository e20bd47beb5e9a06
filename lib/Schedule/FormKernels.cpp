//===- FormKernels.cpp - from a program of tiny ops to kernels ------------===//
//
// For every value that exists in memory (Materialisation.h): trace its scalar
// program (KernelGraph.h), find its loops and its reduction (Kernel.h), write it
// down as linalg (KernelWriter.h), and launch it from the host function.
//
//===----------------------------------------------------------------------===//

#include "KernelWriter.h"
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

/// An empty tensor has no elements to compute.
static Value emptyConstant(OpBuilder &b, Value value) {
  auto empty = DenseElementsAttr::get(tensorOf(value), ArrayRef<Attribute>());
  return ConstantOp::create(b, value.getLoc(), empty);
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

  Materialisation materialisation(function);
  std::vector<Kernel> kernels; // consumers first
  llvm::DenseSet<Value> takenIn;
  Block &block = function.getBody().front();
  for (Operation &op : llvm::reverse(block)) {
    if (op.getNumResults() != 1 || !materialisation.isRoot(op.getResult(0)) ||
        takenIn.contains(op.getResult(0)) || tensorOf(op.getResult(0)).getNumElements() == 0)
      continue;
    kernels.push_back(formKernel(op.getResult(0), materialisation));
    for (ReduceOp reduction : {kernels.back().reduction, kernels.back().foldedReduction})
      if (reduction)
        takenIn.insert(reduction.getResult());
  }

  SymbolTable symbols(module);
  OpBuilder b(module.getBodyRegion());
  llvm::DenseMap<Value, Value> computed;
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator())
    if (!isa<ConstantOp, ExpectEqOp, ExpectCloseOp>(op))
      old.push_back(&op);
  for (Kernel &kernel : llvm::reverse(kernels)) {
    KernelWriter writer(b, kernel);
    b.setInsertionPointToEnd(module.getBody());
    func::FuncOp written = writer.write(kernel.name());
    symbols.insert(written);
    SmallVector<Value> operands;
    for (Value input : writer.inputs())
      operands.push_back(computed.count(input) ? computed.lookup(input) : input);
    b.setInsertionPointAfterValue(kernel.result);
    auto launch =
        LaunchOp::create(b, kernel.result.getLoc(), TypeRange{kernel.result.getType()},
                         written.getSymName(), operands);
    computed[kernel.result] = launch.getResult(0);
  }
  // Expectations and the return read the new values; what computed the old ones goes.
  for (Operation &op : block) {
    if (!isa<func::ReturnOp, ExpectEqOp, ExpectCloseOp>(op))
      continue;
    for (OpOperand &operand : op.getOpOperands()) {
      Value value = operand.get();
      if (computed.count(value)) {
        operand.set(computed.lookup(value));
      } else if (tensorOf(value).getNumElements() == 0 && value.getDefiningOp()) {
        b.setInsertionPoint(&op);
        operand.set(emptyConstant(b, value));
      }
    }
  }
  for (Operation *op : llvm::reverse(old))
    op->erase();
  for (Operation &op : llvm::make_early_inc_range(block))
    if (isa<ConstantOp>(op) && op.use_empty())
      op.erase();
}
