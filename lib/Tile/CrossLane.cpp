//===- CrossLane.cpp - butterflies by DPP, then LDS -----------------------===//

#include "CrossLane.h"

#include "NestEmitter.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tiny;

// "RDNA3" Instruction Set Architecture, sections 7.7 (DPP16) and 16.15 (V_PERMLANEX16_B32).
/// A row is 16 lanes; DPP_ROW_XMASK + m reads from lane ^ m of the row.
static constexpr int64_t rowLanes = 16, dppRowXmask = 0x160;
/// Lane i of the other row, in fours of bits for lanes 0 to 7 and 8 to 15.
static constexpr uint32_t sameLanesLow = 0x76543210, sameLanesHigh = 0xfedcba98;

/// The i32 `word` of lane ^ `mask` of the wave.
static Value exchangeWord(OpBuilder &builder, Location loc, Value word, int64_t mask) {
  auto constant = [&](uint32_t value) {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI32IntegerAttr(static_cast<int32_t>(value)));
  };
  if (mask < rowLanes)
    return ROCDL::DPPUpdateOp::create(builder, loc, word.getType(), word, word,
                                      /*dppCtrl=*/dppRowXmask + mask, /*rowMask=*/0xf,
                                      /*bankMask=*/0xf, /*boundCtrl=*/true);
  return ROCDL::PermlaneX16Op::create(builder, loc, word.getType(), word, word,
                                      constant(sameLanesLow), constant(sameLanesHigh),
                                      /*fi=*/true, /*boundControl=*/false);
}

/// The number `value` of lane ^ `mask` of the wave, in words.
static Value exchange(OpBuilder &builder, Location loc, Value value, int64_t mask) {
  Type type = value.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  Type word = builder.getI32Type(), whole = builder.getIntegerType(bits);
  if (type != whole)
    value = arith::BitcastOp::create(builder, loc, whole, value);
  if (bits < 32) {
    value = exchangeWord(builder, loc, arith::ExtUIOp::create(builder, loc, word, value), mask);
    value = arith::TruncIOp::create(builder, loc, whole, value);
  } else if (bits == 32) {
    value = exchangeWord(builder, loc, value, mask);
  } else {
    Value shift = arith::ConstantIntOp::create(builder, loc, whole, 32);
    Value low = arith::TruncIOp::create(builder, loc, word, value);
    Value high = arith::TruncIOp::create(builder, loc, word,
                                         arith::ShRUIOp::create(builder, loc, value, shift));
    low = arith::ExtUIOp::create(builder, loc, whole, exchangeWord(builder, loc, low, mask));
    high = arith::ExtUIOp::create(builder, loc, whole, exchangeWord(builder, loc, high, mask));
    high = arith::ShLIOp::create(builder, loc, high, shift);
    value = arith::OrIOp::create(builder, loc, low, high);
  }
  return type == whole ? value : arith::BitcastOp::create(builder, loc, type, value).getResult();
}

/// The scalars of `values`, vectors or not.
static SmallVector<Value> scalarsOf(OpBuilder &builder, Location loc, ArrayRef<Value> values) {
  SmallVector<Value> scalars;
  for (Value value : values) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type) {
      scalars.push_back(value);
      continue;
    }
    for (int64_t element = 0; element < type.getNumElements(); ++element)
      scalars.push_back(vector::ExtractOp::create(builder, loc, value, element));
  }
  return scalars;
}

/// Through LDS: each wave leaves one value for every place in it that does not share, and takes
/// those of all waves that do.
static void combineAcrossWaves(OpBuilder &builder, Location loc, Operation *combine,
                               SmallVector<Value> &scalars, const SharingLanes &lanes, bool again,
                               OpBuilder &locals) {
  int64_t places = std::min(lanes.stride, lanes.waveSize), waves = lanes.workgroup / lanes.waveSize;
  int64_t waveStride = lanes.stride / places;
  int64_t sharing = std::min(waves, lanes.count * lanes.stride / lanes.waveSize) / waveStride;
  // A number of one bit has no place in memory.
  Type type = scalars.front().getType(), stored = type;
  if (type.isInteger(1))
    stored = builder.getI8Type();
  int64_t each = scalars.size();
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  auto bufferType =
      MemRefType::get({waves * places * each}, stored, MemRefLayoutAttrInterface(), space);
  Value buffer = memref::AllocaOp::create(locals, loc, bufferType, locals.getI64IntegerAttr(16));

  auto divide = [&](Value value, int64_t by) -> Value {
    return arith::DivUIOp::create(builder, loc, value, indexConstant(builder, loc, by));
  };
  auto remainder = [&](Value value, int64_t by) -> Value {
    return arith::RemUIOp::create(builder, loc, value, indexConstant(builder, loc, by));
  };
  auto placeIn = [&](Value wave, Value place, int64_t number) -> Value {
    Value index = arith::MulIOp::create(builder, loc, wave, indexConstant(builder, loc, places));
    index = arith::AddIOp::create(builder, loc, index, place);
    index = arith::MulIOp::create(builder, loc, index, indexConstant(builder, loc, each));
    return arith::AddIOp::create(builder, loc, index, indexConstant(builder, loc, number));
  };
  Value wave = divide(lanes.lane, lanes.waveSize), place = remainder(lanes.lane, places);
  Value laneInWave = remainder(lanes.lane, lanes.waveSize);
  // What was left the last time has been taken by all.
  if (again)
    gpu::BarrierOp::create(builder, loc);
  Value leaves = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, laneInWave,
                                       indexConstant(builder, loc, places));
  auto branch = scf::IfOp::create(builder, loc, leaves, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    for (auto [number, scalar] : llvm::enumerate(scalars)) {
      Value value = scalar;
      if (stored != type)
        value = arith::ExtUIOp::create(builder, loc, stored, value);
      memref::StoreOp::create(builder, loc, value, buffer, placeIn(wave, place, number));
    }
  }
  gpu::BarrierOp::create(builder, loc);
  // The first of the waves that share: without the bits in which they differ.
  Value low = remainder(wave, waveStride);
  Value high = arith::MulIOp::create(builder, loc, divide(wave, waveStride * sharing),
                                     indexConstant(builder, loc, waveStride * sharing));
  Value first = arith::AddIOp::create(builder, loc, high, low);
  for (auto [number, scalar] : llvm::enumerate(scalars)) {
    Value sum;
    for (int64_t other = 0; other < sharing; ++other) {
      Value from = arith::AddIOp::create(builder, loc, first,
                                         indexConstant(builder, loc, other * waveStride));
      Value value = memref::LoadOp::create(builder, loc, buffer, placeIn(from, place, number));
      if (stored != type)
        value = arith::TruncIOp::create(builder, loc, type, value);
      sum = sum ? emitCombination(builder, combine, sum, value) : value;
    }
    scalar = sum;
  }
}

SmallVector<Value> mlir::tiny::combineAcrossLanes(OpBuilder &builder, Location loc,
                                                  Operation *combine, ArrayRef<Value> values,
                                                  const SharingLanes &lanes, bool again,
                                                  OpBuilder &locals) {
  SmallVector<Value> scalars = scalarsOf(builder, loc, values);
  for (int64_t mask = lanes.stride; mask < std::min(lanes.waveSize, lanes.stride * lanes.count);
       mask *= 2)
    for (Value &scalar : scalars)
      scalar = emitCombination(builder, combine, scalar, exchange(builder, loc, scalar, mask));
  if (lanes.crossWaves())
    combineAcrossWaves(builder, loc, combine, scalars, lanes, again, locals);
  SmallVector<Value> results;
  ArrayRef<Value> rest = scalars;
  for (Value value : values) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type) {
      results.push_back(rest.front());
      rest = rest.drop_front();
      continue;
    }
    ArrayRef<Value> own = rest.take_front(type.getNumElements());
    results.push_back(vector::FromElementsOp::create(builder, loc, type, own));
    rest = rest.drop_front(type.getNumElements());
  }
  return results;
}
