//===- EmitEntryPoints.cpp - the C signature of every kernel --------------===//
//
// One signature for all kernels, so that the runtime, an ahead-of-time object
// and a GPU queue launch them alike. The body stays a function of its own: as
// parameters, buffers carry their attributes further than loaded pointers do.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Codegen/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::tiny {
#define GEN_PASS_DEF_EMITENTRYPOINTSPASS
#include "Tiny/Codegen/Passes.h.inc"
} // namespace mlir::tiny

using namespace mlir;
using namespace mlir::tiny;

static constexpr unsigned kGridRank = 3;

/// The number of buffers of `body`, whose parameters are pointers and then the three coordinates.
static FailureOr<unsigned> countBuffers(LLVM::LLVMFuncOp body) {
  ArrayRef<Type> params = body.getFunctionType().getParams();
  auto isPointer = [](Type type) { return isa<LLVM::LLVMPointerType>(type); };
  auto isCoordinate = [](Type type) { return type.isInteger(64); };
  if (params.size() < kGridRank || !llvm::all_of(params.drop_back(kGridRank), isPointer) ||
      !llvm::all_of(params.take_back(kGridRank), isCoordinate))
    return body.emitOpError("a kernel takes its buffers, then three coordinates of type index; "
                            "this one is lowered to ")
           << body.getFunctionType();
  return params.size() - kGridRank;
}

static void emitEntryPoint(LLVM::LLVMFuncOp body, unsigned numBuffers, StringRef name) {
  Location loc = body.getLoc();
  OpBuilder b(body->getContext());
  b.setInsertionPointAfter(body);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Type> params = {pointer, b.getI32Type(), b.getI32Type(), b.getI32Type()};
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), params);
  auto entry = LLVM::LLVMFuncOp::create(b, loc, name, type);
  Block *block = entry.addEntryBlock(b);
  b.setInsertionPointToStart(block);
  SmallVector<Value> arguments;
  for (int32_t i = 0; i < static_cast<int32_t>(numBuffers); ++i) {
    Value address = LLVM::GEPOp::create(b, loc, pointer, pointer, block->getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{i});
    arguments.push_back(LLVM::LoadOp::create(b, loc, pointer, address));
  }
  for (Value coordinate : block->getArguments().drop_front())
    arguments.push_back(LLVM::ZExtOp::create(b, loc, b.getI64Type(), coordinate));
  LLVM::CallOp::create(b, loc, body, arguments);
  // x86 keeps no order for them, and LLVM adds no fence by itself ("Intel 64 and IA-32
  // Architectures Software Developer's Manual", volume 1, section 10.4.6.2). What a sequentially
  // consistent fence is there, MFENCE or a locked instruction, waits for them too.
  WalkResult streams = body.walk([](LLVM::StoreOp store) {
    return store.getNontemporal() ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (streams.wasInterrupted())
    LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::seq_cst);
  LLVM::ReturnOp::create(b, loc, ValueRange());
}

namespace {
struct EmitEntryPointsPass : tiny::impl::EmitEntryPointsPassBase<EmitEntryPointsPass> {
  using EmitEntryPointsPassBase::EmitEntryPointsPassBase;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    Builder b(&getContext());
    SmallVector<LLVM::LLVMFuncOp> kernels;
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr("tiny.kernel"))
        kernels.push_back(function);
    for (LLVM::LLVMFuncOp body : kernels) {
      FailureOr<unsigned> numBuffers = countBuffers(body);
      if (failed(numBuffers))
        return signalPassFailure();
      for (unsigned i = 0; i < *numBuffers; ++i) {
        body.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(alignment));
        body.setArgAttr(i, LLVM::LLVMDialect::getNoUndefAttrName(), b.getUnitAttr());
      }
      std::string name = body.getName().str(), bodyName = name + "_body";
      if (symbols.lookup(bodyName)) {
        body.emitOpError("is a kernel, and its body needs the name '") << bodyName << "'";
        return signalPassFailure();
      }
      body.setName(
          bodyName); // nobody calls it: SymbolTable::rename() would look for that everywhere
      body.setLinkage(LLVM::Linkage::Internal);
      body.setNoInline(true);
      body->removeAttr("tiny.kernel");
      emitEntryPoint(body, *numBuffers, name);
    }
  }
};
} // namespace
