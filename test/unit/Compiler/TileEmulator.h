//===- TileEmulator.h - AMX's instructions as loops over memory -*- C++ -*-===//
//
// Replaces the ops of the amx dialect in tiled kernels, so that what the compiler makes
// for a matrix unit runs on any CPU. A tile is a buffer on the stack. What is computed
// is the pseudocode of Intel's Software Developer's Manual, volume 2, for TILELOADD,
// TILESTORED, TILEZERO, TDPBF16PS and TDPBSSD, TDPBSUD, TDPBUSD and TDPBUUD.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_UNIT_COMPILER_TILEEMULATOR_H
#define TINY_TEST_UNIT_COMPILER_TILEEMULATOR_H

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tinytest {

class TileEmulator {
public:
  /// The number of products of tiles that `kernel` had.
  static unsigned run(mlir::func::FuncOp kernel) { return TileEmulator(kernel).emulate(); }

private:
  using Value = mlir::Value;
  using Type = mlir::Type;

  explicit TileEmulator(mlir::func::FuncOp kernel)
      : kernel(kernel), b(kernel.getContext()), loc(kernel.getLoc()) {}

  /// bf16 is its bits.
  static mlir::MemRefType bufferOf(Type tile) {
    auto type = mlir::cast<mlir::amx::TileType>(tile);
    Type element = type.getElementType();
    if (element.isBF16())
      element = mlir::IntegerType::get(tile.getContext(), 16);
    return mlir::MemRefType::get(type.getShape(), element);
  }
  Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, loc, value); }
  Value add(Value lhs, Value rhs) { return mlir::arith::AddIOp::create(b, loc, lhs, rhs); }
  Value mul(Value lhs, int64_t rhs) { return mlir::arith::MulIOp::create(b, loc, lhs, index(rhs)); }
  void loop(int64_t count, llvm::function_ref<void(Value)> body) {
    auto op = mlir::scf::ForOp::create(b, loc, index(0), index(count), index(1));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar());
  }
  llvm::SmallVector<Value>
  sumUp(int64_t count, llvm::ArrayRef<Value> first,
        llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body) {
    auto op =
        mlir::scf::ForOp::create(b, loc, index(0), index(count), index(1), mlir::ValueRange(first));
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    mlir::scf::YieldOp::create(b, loc, body(op.getInductionVar(), op.getRegionIterArgs()));
    return llvm::SmallVector<Value>(op.getResults());
  }
  Value load(Value buffer, Value row, Value column) {
    return mlir::memref::LoadOp::create(b, loc, buffer, mlir::ValueRange{row, column});
  }
  void store(Value value, Value buffer, Value row, Value column) {
    mlir::memref::StoreOp::create(b, loc, value, buffer, mlir::ValueRange{row, column});
  }
  Value integer(unsigned bits, int64_t value) {
    return mlir::arith::ConstantIntOp::create(b, loc, value, bits);
  }

  /// 0 of its sign for a denormal number.
  Value flush(Value number) {
    using namespace mlir;
    Value bits = arith::BitcastOp::create(b, loc, b.getI32Type(), number);
    Value exponent = arith::AndIOp::create(b, loc, bits, integer(32, 0x7F800000));
    Value isDenormal =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, exponent, integer(32, 0));
    Value sign = arith::AndIOp::create(b, loc, bits, integer(32, INT32_MIN));
    return arith::BitcastOp::create(b, loc, b.getF32Type(),
                                    arith::SelectOp::create(b, loc, isDenormal, sign, bits));
  }
  Value loadBF16(Value buffer, Value row, Value column) {
    using namespace mlir;
    Value bits = arith::ExtUIOp::create(b, loc, b.getI32Type(), load(buffer, row, column));
    bits = arith::ShLIOp::create(b, loc, bits, integer(32, 16));
    return flush(arith::BitcastOp::create(b, loc, b.getF32Type(), bits));
  }
  Value loadByte(Value buffer, Value row, Value column, bool isUnsigned) {
    using namespace mlir;
    Value byte = load(buffer, row, column);
    return isUnsigned ? arith::ExtUIOp::create(b, loc, b.getI32Type(), byte).getResult()
                      : arith::ExtSIOp::create(b, loc, b.getI32Type(), byte).getResult();
  }

  void emulate(mlir::amx::TileZeroOp op, Value to) {
    mlir::MemRefType type = bufferOf(op.getRes().getType());
    Value zero = mlir::arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
    loop(type.getDimSize(0), [&](Value row) {
      loop(type.getDimSize(1), [&](Value column) { store(zero, to, row, column); });
    });
  }
  /// The buffer may be of elements that several numbers of the tile are in, the first one in the
  /// lowest bits.
  void emulate(mlir::amx::TileLoadOp op, Value to) {
    using namespace mlir;
    MemRefType type = bufferOf(op.getRes().getType());
    Type from = op.getMemRefType().getElementType();
    unsigned bits = type.getElementTypeBitWidth(), parts = from.getIntOrFloatBitWidth() / bits;
    loop(type.getDimSize(0), [&](Value row) {
      Value start = add(op.getIndices()[0], arith::MulIOp::create(b, loc, row, op.getStride()));
      loop(type.getDimSize(1) / parts, [&](Value column) {
        Value number = memref::LoadOp::create(b, loc, op.getBase(), add(start, column));
        for (unsigned part = 0; part < parts; ++part) {
          Value value = number;
          if (parts > 1) {
            value = arith::ShRUIOp::create(b, loc, number,
                                           integer(from.getIntOrFloatBitWidth(), part * bits));
            value = arith::TruncIOp::create(b, loc, type.getElementType(), value);
          }
          store(value, to, row, add(mul(column, parts), index(part)));
        }
      });
    });
  }
  void emulate(mlir::amx::TileStoreOp op) {
    using namespace mlir;
    Value tile = tiles.lookup(op.getVal());
    auto type = cast<MemRefType>(tile.getType());
    loop(type.getDimSize(0), [&](Value row) {
      Value start = add(op.getIndices()[0], arith::MulIOp::create(b, loc, row, op.getStride()));
      loop(type.getDimSize(1), [&](Value column) {
        memref::StoreOp::create(b, loc, load(tile, row, column), op.getBase(),
                                ValueRange{add(start, column)});
      });
    });
  }
  /// Both halves of the pairs are added up on their own, from 0, by fused multiply-adds; then the
  /// two are, and that is added to what was there. Denormal numbers are 0 throughout.
  void emulate(mlir::amx::TileMulFOp op, Value to) {
    using namespace mlir;
    Value lhs = tiles.lookup(op.getLhs()), rhs = tiles.lookup(op.getRhs()),
          acc = tiles.lookup(op.getAcc());
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    forSums(op.getRes().getType(), [&](Value row, Value column) {
      SmallVector<Value> halves =
          sumUp(cast<amx::TileType>(op.getRhs().getType()).getDimSize(0), {zero, zero},
                [&](Value step, ValueRange sums) {
                  SmallVector<Value> result;
                  for (int64_t half : {0, 1}) {
                    Value a = loadBF16(lhs, row, add(mul(step, 2), index(half)));
                    Value c = loadBF16(rhs, step, add(mul(column, 2), index(half)));
                    result.push_back(flush(math::FmaOp::create(b, loc, a, c, sums[half])));
                  }
                  return result;
                });
      Value both = flush(arith::AddFOp::create(b, loc, halves[0], halves[1]));
      Value before = flush(load(acc, row, column));
      store(flush(arith::AddFOp::create(b, loc, before, both)), to, row, column);
    });
  }
  /// Four products at a time, without saturation.
  void emulate(mlir::amx::TileMulIOp op, Value to) {
    using namespace mlir;
    Value lhs = tiles.lookup(op.getLhs()), rhs = tiles.lookup(op.getRhs()),
          acc = tiles.lookup(op.getAcc());
    forSums(op.getRes().getType(), [&](Value row, Value column) {
      SmallVector<Value> sum =
          sumUp(cast<amx::TileType>(op.getRhs().getType()).getDimSize(0), {load(acc, row, column)},
                [&](Value step, ValueRange sums) {
                  Value result = sums[0];
                  for (int64_t part = 0; part < 4; ++part) {
                    Value a = loadByte(lhs, row, add(mul(step, 4), index(part)), op.getIsZextLhs());
                    Value c =
                        loadByte(rhs, step, add(mul(column, 4), index(part)), op.getIsZextRhs());
                    result = add(result, arith::MulIOp::create(b, loc, a, c));
                  }
                  return SmallVector<Value>{result};
                });
      store(sum[0], to, row, column);
    });
  }
  void forSums(Type type, llvm::function_ref<void(Value, Value)> body) {
    llvm::ArrayRef<int64_t> shape = mlir::cast<mlir::amx::TileType>(type).getShape();
    loop(shape[0], [&](Value row) { loop(shape[1], [&](Value column) { body(row, column); }); });
  }

  unsigned emulate() {
    using namespace mlir;
    unsigned products = 0;
    SmallVector<Operation *> ops;
    // A buffer per op. What a product adds to may be the buffer that it writes, in the next round
    // of a loop: each sum is read before it is written, and by nobody after that. Loops and
    // branches carry the buffers.
    auto carry = [&](ValueRange values) {
      for (Value value : values)
        if (isa<amx::TileType>(value.getType())) {
          value.setType(bufferOf(value.getType()));
          tiles[value] = value;
        }
    };
    b.setInsertionPointToStart(&kernel.getBody().front());
    kernel.walk([&](Operation *op) {
      if (isa<amx::AMXDialect>(op->getDialect())) {
        ops.push_back(op);
        for (Value result : op->getResults())
          tiles[result] = memref::AllocaOp::create(b, loc, bufferOf(result.getType()));
        return;
      }
      carry(op->getResults());
      for (Region &region : op->getRegions())
        for (Block &block : region)
          carry(block.getArguments());
    });
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      Value to = op->getNumResults() ? tiles.lookup(op->getResult(0)) : Value();
      if (auto own = dyn_cast<amx::TileZeroOp>(op))
        emulate(own, to);
      else if (auto own = dyn_cast<amx::TileLoadOp>(op))
        emulate(own, to);
      else if (auto own = dyn_cast<amx::TileStoreOp>(op))
        emulate(own);
      else if (auto own = dyn_cast<amx::TileMulFOp>(op))
        emulate(own, to), ++products;
      else if (auto own = dyn_cast<amx::TileMulIOp>(op))
        emulate(own, to), ++products;
    }
    for (Operation *op : ops) {
      for (Value result : op->getResults())
        result.replaceAllUsesWith(tiles.lookup(result));
      op->erase();
    }
    return products;
  }

  mlir::func::FuncOp kernel;
  mlir::OpBuilder b;
  mlir::Location loc;
  llvm::DenseMap<Value, Value> tiles;
};

} // namespace tinytest

#endif // TINY_TEST_UNIT_COMPILER_TILEEMULATOR_H
