//===- BufferizeKernels.cpp - tensors of a kernel become buffers ----------===//
//
// Upstream's module bufferisation wants the callers too, and they are launches on
// tensors that stay tensors. So a kernel's boundary is rewritten here, each argument to
// a memref, each result to a write into its destination, and upstream's analysis does
// the inside. Nothing may be copied: what a kernel writes is its destination.
//
//===----------------------------------------------------------------------===//

#include "KernelNest.h"

#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Tile/Passes.h"

#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/TilingInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/AllocationOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_BUFFERIZEKERNELSPASS
#include "Tiny/Tile/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

/// Of locals in an address space of a GPU: that of its widest access.
static constexpr unsigned localAlignment = 16;

namespace {
/// A read reads its source, writes nothing, and gives a scalar.
struct ReadModel : bufferization::BufferizableOpInterface::ExternalModel<ReadModel, ReadOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const bufferization::AnalysisState &) const {
    return true;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const bufferization::AnalysisState &) const {
    return false;
  }
  bufferization::AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                                     const bufferization::AnalysisState &) const {
    return {};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const bufferization::BufferizationOptions &options,
                          bufferization::BufferizationState &state) const {
    auto read = cast<ReadOp>(op);
    FailureOr<Value> buffer = bufferization::getBuffer(rewriter, read.getSource(), options, state);
    if (failed(buffer))
      return failure();
    rewriter.modifyOpInPlace(read, [&] { read.getSourceMutable().assign(*buffer); });
    return success();
  }
};

struct BufferizeKernelsPass : tiny::impl::BufferizeKernelsPassBase<BufferizeKernelsPass> {
  using BufferizeKernelsPassBase::BufferizeKernelsPassBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr(kernelAttrName))
      return;
    bufferization::OneShotBufferizationOptions options;
    if (!localMemorySpace.empty()) {
      std::optional<gpu::AddressSpace> space = gpu::symbolizeAddressSpace(localMemorySpace);
      if (!space) {
        function.emitError() << "the gpu dialect has no address space '" << localMemorySpace << "'";
        return signalPassFailure();
      }
      Attribute attribute = gpu::AddressSpaceAttr::get(&getContext(), *space);
      options.defaultMemorySpaceFn = [=](TensorType) { return attribute; };
      options.bufferAlignment = localAlignment;
    }
    rewriteBoundary(function);
    // A local belongs to one workgroup and is small. The accumulators among them vanish later.
    options.allocationFn = [](OpBuilder &builder, Location loc, MemRefType type, ValueRange sizes,
                              unsigned alignment) -> FailureOr<Value> {
      return memref::AllocaOp::create(builder, loc, type, sizes,
                                      builder.getI64IntegerAttr(alignment))
          .getResult();
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(function, options, state)))
      return signalPassFailure();
    // A stack grows until the workgroup ends: the locals of a block are those of the next one, too.
    function.walk([](memref::AllocaOp local) {
      while (auto loop = dyn_cast<scf::ForOp>(local->getParentOp()))
        local->moveBefore(loop);
    });
    OpPassManager cleanup(func::FuncOp::getOperationName());
    cleanup.addPass(createCanonicalizerPass());
    cleanup.addPass(createCSEPass());
    if (failed(runPipeline(cleanup, function)))
      return signalPassFailure();
    WalkResult walk = function.walk([](Operation *op) -> WalkResult {
      // A slice that was computed in place is inserted where it is: equal only after CSE.
      if (auto copy = dyn_cast<memref::CopyOp>(op); copy && copy.getSource() == copy.getTarget()) {
        copy.erase();
        return WalkResult::advance();
      }
      if (isa<memref::CopyOp, bufferization::MaterializeInDestinationOp>(op))
        return op->emitOpError() << "is left by bufferisation: the kernel does not compute its "
                                    "result in its destination";
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
  }

  /// The last arguments are the destinations, one for each result.
  void rewriteBoundary(func::FuncOp function) {
    OpBuilder builder(function.getBody());
    Block &body = function.getBody().front();
    unsigned numInputs = function.getNumArguments() - function.getNumResults();
    SmallVector<Type> types;
    for (BlockArgument argument : body.getArguments()) {
      auto tensor = dyn_cast<RankedTensorType>(argument.getType());
      if (!tensor) {
        types.push_back(argument.getType());
        continue;
      }
      argument.setType(MemRefType::get(tensor.getShape(), tensor.getElementType()));
      types.push_back(argument.getType());
      auto value = bufferization::ToTensorOp::create(builder, function.getLoc(), tensor, argument);
      value.setRestrict(true);
      value.setWritable(argument.getArgNumber() >= numInputs);
      argument.replaceAllUsesExcept(value, value);
    }
    Operation *terminator = body.getTerminator();
    builder.setInsertionPoint(terminator);
    for (auto [number, result] : llvm::enumerate(terminator->getOperands())) {
      auto write = bufferization::MaterializeInDestinationOp::create(
          builder, terminator->getLoc(), Type(), result, body.getArgument(numInputs + number));
      write.setWritable(true);
      write.setRestrict(true);
    }
    terminator->setOperands({});
    function.setType(builder.getFunctionType(types, {}));
  }
};
} // namespace

void mlir::tiny::registerTileExtensions(DialectRegistry &registry) {
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerTilingInterfaceExternalModels(registry);
  memref::registerAllocationOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  registry.addExtension(
      +[](MLIRContext *context, TinyDialect *) { ReadOp::attachInterface<ReadModel>(*context); });
}
