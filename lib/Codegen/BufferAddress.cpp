//===- BufferAddress.cpp - accesses as a GPU addresses them ---------------===//
//
// A global access of RDNA takes a 64-bit base from scalar registers and an unsigned
// 32-bit offset in bytes from a vector register (RDNA3 ISA, section 11: FLAT, GLOBAL and
// SCRATCH instructions). LLVM selects it for base + zext(offset) only. Upstream's
// lowering gives signed element indices, whose extension and scaling LLVM cannot
// turn into that without knowing that nothing overflows; we know it, because an
// access is within its buffer.
//
//===----------------------------------------------------------------------===//

#include "BufferAddress.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tiny;

namespace {
/// Arithmetic on offsets, which are neither negative nor too large.
struct OffsetBuilder {
  OpBuilder &b;
  Location loc;
  Type type;

  Value constant(int64_t value) {
    return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
  }
  Value add(Value x, Value y) {
    if (!x || !y)
      return x ? x : y;
    return LLVM::AddOp::create(b, loc, type, x, y, kNoOverflow);
  }
  Value mul(Value x, int64_t factor) { return factor == 1 ? x : mul(x, constant(factor)); }
  Value mul(Value x, Value factor) {
    return LLVM::MulOp::create(b, loc, type, x, factor, kNoOverflow);
  }

private:
  static constexpr LLVM::IntegerOverflowFlags kNoOverflow =
      LLVM::IntegerOverflowFlags::nsw | LLVM::IntegerOverflowFlags::nuw;
};
} // namespace

/// The address of the element of `descriptor`, a memref of `type`, at `indices`.
static Value elementAddress(OpBuilder &b, Location loc, const LLVMTypeConverter &converter,
                            MemRefType type, Value descriptor, ValueRange indices) {
  auto [strides, start] = type.getStridesAndOffset();
  MemRefDescriptor memref(descriptor);
  OffsetBuilder offsets{b, loc, converter.getIndexType()};
  Value sum;
  for (auto [i, index, stride] : llvm::enumerate(indices, strides))
    if (stride != 0)
      sum = offsets.add(sum, ShapedType::isDynamic(stride)
                                 ? offsets.mul(index, memref.stride(b, loc, i))
                                 : offsets.mul(index, stride));
  if (ShapedType::isDynamic(start))
    sum = offsets.add(sum, memref.offset(b, loc));
  else if (start != 0)
    sum = offsets.add(sum, offsets.constant(start));
  Value base = memref.alignedPtr(b, loc);
  if (!sum)
    return base;

  auto pointer = cast<LLVM::LLVMPointerType>(base.getType());
  sum = offsets.mul(sum, std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1));
  // In other address spaces an offset has 32 bits.
  constexpr unsigned globalSpace = 1;
  if (pointer.getAddressSpace() == globalSpace && !sum.getType().isInteger(64))
    sum = LLVM::ZExtOp::create(b, loc, b.getI64Type(), sum, /*nonNeg=*/true);
  return LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base, sum,
                             LLVM::GEPNoWrapFlags::inbounds | LLVM::GEPNoWrapFlags::nuw);
}

/// The alignment that `op` states, else that of an element: bytes that hold one.
template <typename Op> static unsigned alignmentOf(Op op, MemRefType type) {
  return op.getAlignment().value_or(std::max<unsigned>(type.getElementTypeBitWidth() / 8, 1));
}

namespace {
template <typename Op> struct LowerLoad : public ConvertOpToLLVMPattern<Op> {
  using ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value memref = adaptor.getOperands().front();
    auto type = cast<MemRefType>(op->getOperand(0).getType());
    Type result = this->getTypeConverter()->convertType(op.getResult().getType());
    if (!result || isa<LLVM::LLVMArrayType>(result))
      return rewriter.notifyMatchFailure(op, "is of no type that LLVM loads");
    Value address = elementAddress(rewriter, op.getLoc(), *this->getTypeConverter(), type, memref,
                                   adaptor.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, result, address, alignmentOf(op, type),
                                              /*isVolatile=*/false, op.getNontemporal());
    return success();
  }
};

template <typename Op> struct LowerStore : public ConvertOpToLLVMPattern<Op> {
  using ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value value = adaptor.getOperands()[0], memref = adaptor.getOperands()[1];
    auto type = cast<MemRefType>(op->getOperand(1).getType());
    if (isa<LLVM::LLVMArrayType>(value.getType()))
      return rewriter.notifyMatchFailure(op, "is of no type that LLVM stores");
    Value address = elementAddress(rewriter, op.getLoc(), *this->getTypeConverter(), type, memref,
                                   adaptor.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, value, address, alignmentOf(op, type),
                                               /*isVolatile=*/false, op.getNontemporal());
    return success();
  }
};

struct LowerMaskedLoad : public ConvertOpToLLVMPattern<vector::MaskedLoadOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(vector::MaskedLoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    MemRefType type = op.getMemRefType();
    Value address = elementAddress(rewriter, op.getLoc(), *getTypeConverter(), type,
                                   adaptor.getBase(), adaptor.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::MaskedLoadOp>(
        op, getTypeConverter()->convertType(op.getType()), address, adaptor.getMask(),
        adaptor.getPassThru(), alignmentOf(op, type));
    return success();
  }
};

struct LowerMaskedStore : public ConvertOpToLLVMPattern<vector::MaskedStoreOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(vector::MaskedStoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    MemRefType type = op.getMemRefType();
    Value address = elementAddress(rewriter, op.getLoc(), *getTypeConverter(), type,
                                   adaptor.getBase(), adaptor.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::MaskedStoreOp>(op, adaptor.getValueToStore(), address,
                                                     adaptor.getMask(), alignmentOf(op, type));
    return success();
  }
};
} // namespace

void mlir::tiny::populateBufferAccessPatterns(const LLVMTypeConverter &converter,
                                              RewritePatternSet &patterns, PatternBenefit benefit) {
  patterns.add<LowerLoad<memref::LoadOp>, LowerLoad<vector::LoadOp>, LowerStore<memref::StoreOp>,
               LowerStore<vector::StoreOp>, LowerMaskedLoad, LowerMaskedStore>(converter, benefit);
}
