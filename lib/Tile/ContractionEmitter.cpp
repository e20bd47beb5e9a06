//===- ContractionEmitter.cpp - steps, products and epilogue of a tile ----===//
//
// A step multiplies what lies in one slot of LDS, while the next one is loaded into
// registers and then stored to another slot: one barrier per step. As many steps as
// there are slots are one iteration of the loop, so that every place in LDS is a
// constant away from where a lane starts. What is left of the steps follows the loop:
// there, a step may end early, and nothing is loaded that nobody multiplies.
//
//===----------------------------------------------------------------------===//

#include "ContractionEmitter.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tiny;

static constexpr auto noWrap = arith::IntegerOverflowFlags::nsw;

Value ContractionEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// `base * multiple + offset`.
Value ContractionEmitter::linear(Value base, int64_t multiple, Value offset) {
  if (multiple != 1)
    base = arith::MulIOp::create(builder, loc, base, index(multiple), noWrap);
  return offset ? Value(arith::AddIOp::create(builder, loc, base, offset, noWrap)) : base;
}

ContractionEmitter::ContractionEmitter(OpBuilder &builder, const EmissionContext &context,
                                       const ContractionPlan &plan, Value lane, Value batchNumber,
                                       Value rowTile, Value columnTile, Value lds)
    : builder(builder), loc(context.nest.loc()), context(context), nest(context.nest), plan(plan),
      lds(lds) {
  batch.bases.resize(nest.numLoops());
  batch.deltas.resize(nest.numLoops());
  if (!plan.what.batch.empty())
    placeInLoops(builder, loc, nest, plan.what.batch, batchNumber, 0, 1, batch);
  rowStart = linear(rowTile, plan.rows.tile);
  columnStart = linear(columnTile, plan.columns.tile);
  rows.emplace(builder, context, plan, /*isRows=*/true, lane, rowStart, batch, lds, 0);
  columns.emplace(builder, context, plan, /*isRows=*/false, lane, columnStart, batch, lds,
                  plan.rows.numSlots() * plan.rows.slotWords);

  auto divide = [&](Value value, int64_t by) {
    return arith::DivUIOp::create(builder, loc, value, index(by));
  };
  auto remainder = [&](Value value, int64_t by) {
    return arith::RemUIOp::create(builder, loc, value, index(by));
  };
  if (!plan.wmma) {
    // Lanes next to each other have columns next to each other.
    Value row = divide(lane, plan.lanes[1]), column = remainder(lane, plan.lanes[1]);
    rowWord = ownRow = linear(row, accessWords);
    columnWord = ownColumn = linear(column, accessWords);
    return;
  }
  // A wave holds 16 rows of one factor and 16 columns of the other one in its lanes, twice; its
  // sums are a column per lane, of every second row.
  int64_t waveLanes = plan.numLanes / (plan.waves[0] * plan.waves[1]);
  Value wave = divide(lane, waveLanes), within = remainder(lane, waveLanes);
  Value row = linear(divide(wave, plan.waves[1]), plan.ownRows()),
        column = linear(remainder(wave, plan.waves[1]), plan.ownColumns());
  Value place = remainder(within, wmmaSize), half = divide(within, wmmaSize);
  rowWord = linear(linear(row, 1, place), plan.rows.stride);
  ownColumn = linear(column, 1, place);
  columnWord = linear(ownColumn, plan.columns.stride);
  ownRow = linear(row, 1, half);
}

void ContractionEmitter::emit() { emitEpilogue(emitSteps()); }

void ContractionEmitter::emitTiles(OpBuilder &builder, const EmissionContext &context,
                                   const ContractionPlan &plan, Value lane, Value lds) {
  Location loc = context.nest.loc();
  auto constant = [&](int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Value> tile;
  for (int64_t count : plan.numTiles()) {
    if (count == 1) {
      tile.push_back(constant(0));
      continue;
    }
    auto loop = scf::ForOp::create(builder, loc, constant(0), constant(count), constant(1));
    builder.setInsertionPointToStart(loop.getBody());
    tile.push_back(loop.getInductionVar());
  }
  amdgpu::LDSBarrierOp::create(builder, loc);
  ContractionEmitter(builder, context, plan, lane, tile[0], tile[1], tile[2], lds).emit();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The sums after all steps.
SmallVector<Value> ContractionEmitter::emitSteps() {
  int64_t numSums = plan.ownRows() * plan.ownColumns();
  Value zero = nest.identity;
  if (plan.wmma) {
    // Of 32 lanes, each has as many elements as there are rows for two lanes of a column.
    constexpr int64_t perLane = 8;
    numSums /= wmmaSize * wmmaSize;
    zero =
        vector::BroadcastOp::create(builder, loc, VectorType::get({perLane}, zero.getType()), zero);
  }
  SmallVector<Value> sums(numSums, zero);

  const DepthWalk &walk = plan.depth;
  int64_t unrolled = plan.unrolledSteps(), period = std::max(plan.rows.period, plan.columns.period);
  int64_t whole = walk.endsPartial() ? walk.numSteps - 1 : walk.numSteps;
  // An iteration also loads the steps behind its own.
  int64_t iterations = std::max<int64_t>((whole - period) / unrolled, 0);
  if (iterations == 1)
    iterations = 0; // no loop: LLVM would see through it and take its loads ahead of all products
  bool firstMayEnd = whole < period;
  rows->store(rows->load({{}, 0}, firstMayEnd), 0);
  columns->store(columns->load({{}, 0}, firstMayEnd), 0);
  amdgpu::LDSBarrierOp::create(builder, loc);

  if (iterations > 0) {
    auto loop = scf::ForOp::create(builder, loc, index(0), index(iterations * unrolled),
                                   index(unrolled), sums);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> current(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
    for (int64_t phase = 0; phase < unrolled; ++phase)
      current = emitStep({loop.getInductionVar(), phase}, phase, current, INT64_MAX);
    scf::YieldOp::create(builder, loc, current);
    sums.assign(loop.getResults().begin(), loop.getResults().end());
  }
  for (int64_t step = iterations * unrolled; step < walk.numSteps; ++step)
    sums = emitStep({{}, step}, step % unrolled, sums, walk.numSteps - step);
  return sums;
}

/// One step; those behind it are loaded if there are any. In the loop, `stepsLeft` is infinite.
SmallVector<Value> ContractionEmitter::emitStep(DepthStep step, unsigned phase,
                                                ArrayRef<Value> sums, int64_t stepsLeft) {
  bool inLoop = stepsLeft == INT64_MAX;
  auto load = [&](ContractionStager &stager, const SidePlan &side,
                  ContractionStager::Loaded &loaded) {
    if (phase % side.period == 0 && stepsLeft > side.period)
      loaded = stager.load({step.base, step.offset + side.period}, /*mayEnd=*/!inLoop);
  };
  auto store = [&](ContractionStager &stager, const SidePlan &side,
                   const ContractionStager::Loaded &loaded) {
    if ((phase + 1) % side.period == 0 && stepsLeft > 1)
      stager.store(loaded, (phase + 1) % side.numSlots());
  };
  load(*rows, plan.rows, loadedRows);
  load(*columns, plan.columns, loadedColumns);
  // LLVM would save registers by loading behind the products, and wait for each load.
  if (plan.wmma && inLoop)
    ROCDL::SchedBarrier::create(builder, loc, 0);
  SmallVector<Value> result = multiply(sums, phase, inLoop);
  if (stepsLeft == 1)
    return result;
  store(*rows, plan.rows, loadedRows);
  store(*columns, plan.columns, loadedColumns);
  amdgpu::LDSBarrierOp::create(builder, loc);
  return result;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// What one step adds to the sums. Behind the loop, fragments of the next 16 elements must not be
/// loaded early: addresses of the epilogue need registers there, and some would be spilled.
SmallVector<Value> ContractionEmitter::multiply(ArrayRef<Value> sums, unsigned phase, bool inLoop) {
  int64_t rowSlot = phase % plan.rows.numSlots() * plan.rows.slotWords;
  int64_t columnSlot = plan.rows.numSlots() * plan.rows.slotWords +
                       phase % plan.columns.numSlots() * plan.columns.slotWords;
  if (!plan.wmma)
    return multiplyElements(sums, rowSlot, columnSlot);
  SmallVector<Value> result(sums);
  int64_t words = wmmaSize * plan.what.factorBytes() / 4;
  for (int64_t k = 0; k < plan.depth.step / wmmaSize; ++k) {
    result = multiplyMatrices(result, rowSlot + k * words, columnSlot + k * words);
    if (!inLoop)
      ROCDL::SchedBarrier::create(builder, loc, 0);
  }
  return result;
}

Value ContractionEmitter::loadWords(Value base, int64_t word) {
  Value place = linear(base, 1, word ? index(word) : Value());
  return vector::LoadOp::create(builder, loc, VectorType::get({accessWords}, builder.getI32Type()),
                                lds, ValueRange{place}, /*nontemporal=*/false,
                                llvm::MaybeAlign(accessBytes));
}

/// 16 elements along the depth for a lane.
Value ContractionEmitter::fragment(const SidePlan &side, Value base, int64_t word) {
  Value words = loadWords(base, word);
  Type element = builder.getF16Type();
  if (plan.what.factor == Factor::i8)
    return vector::BitCastOp::create(builder, loc, VectorType::get({wmmaSize}, builder.getI8Type()),
                                     words);
  if (plan.what.factor == Factor::bf16)
    element = builder.getBF16Type();
  Value next = loadWords(base, word + accessWords);
  SmallVector<int64_t> both = llvm::to_vector(llvm::seq<int64_t>(2 * accessWords));
  Value all = vector::ShuffleOp::create(builder, loc, words, next, both);
  return vector::BitCastOp::create(builder, loc, VectorType::get({wmmaSize}, element), all);
}

/// The products of 16 elements along the depth, whose words start at the two places.
SmallVector<Value> ContractionEmitter::multiplyMatrices(ArrayRef<Value> sums, int64_t rowPlace,
                                                        int64_t columnPlace) {
  SmallVector<Value> rowFragments, columnFragments, result(sums);
  for (int64_t row = 0; row < plan.ownRows(); row += wmmaSize)
    rowFragments.push_back(fragment(plan.rows, rowWord, rowPlace + row * plan.rows.stride));
  for (int64_t column = 0; column < plan.ownColumns(); column += wmmaSize)
    columnFragments.push_back(
        fragment(plan.columns, columnWord, columnPlace + column * plan.columns.stride));
  for (auto [i, row] : llvm::enumerate(rowFragments)) {
    for (auto [j, column] : llvm::enumerate(columnFragments)) {
      Value &sum = result[i * columnFragments.size() + j];
      sum = amdgpu::WMMAOp::create(builder, loc, sum.getType(), wmmaSize, wmmaSize, wmmaSize, row,
                                   column, sum, /*subwordOffset=*/0, plan.what.rows.isUnsigned,
                                   plan.what.columns.isUnsigned, /*clamp=*/false);
    }
  }
  return result;
}

/// `count` elements along rows or columns for a lane: runs of one access each, of all lanes side by
/// side, so that a wave reads from all banks.
SmallVector<Value> ContractionEmitter::elements(const SidePlan &side, Value base, int64_t word,
                                                int64_t count, int64_t lanes) {
  auto floats = VectorType::get({accessWords}, builder.getF32Type());
  SmallVector<Value> result;
  for (int64_t run = 0; run < count / accessWords; ++run) {
    Value words = loadWords(base, word + run * lanes * accessWords);
    words = vector::BitCastOp::create(builder, loc, floats, words);
    for (int64_t element = 0; element < accessWords; ++element)
      result.push_back(vector::ExtractOp::create(builder, loc, words, element));
  }
  return result;
}

/// The products of a step by multiply-adds. LLVM would load what all of them read at once, as many
/// registers as there are; so it is told how far ahead a load may be.
SmallVector<Value> ContractionEmitter::multiplyElements(ArrayRef<Value> sums, int64_t rowPlace,
                                                        int64_t columnPlace) {
  SmallVector<SmallVector<Value>> ownRows, ownColumns;
  auto loadElements = [&] {
    int64_t k = ownRows.size();
    if (k == plan.depth.step)
      return;
    ownRows.push_back(elements(plan.rows, rowWord, rowPlace + k * plan.rows.stride, plan.ownRows(),
                               plan.lanes[0]));
    ownColumns.push_back(elements(plan.columns, columnWord, columnPlace + k * plan.columns.stride,
                                  plan.ownColumns(), plan.lanes[1]));
  };
  SmallVector<Value> result(sums);
  for (int64_t ahead = 0; ahead < plan.elementsAhead(); ++ahead)
    loadElements();
  for (int64_t k = 0; k < plan.depth.step; ++k) {
    loadElements();
    size_t number = 0;
    for (Value row : ownRows[k])
      for (Value column : ownColumns[k]) {
        Value &sum = result[number++];
        sum = math::FmaOp::create(builder, loc, row, column, sum);
      }
    ROCDL::SchedBarrier::create(builder, loc, 0);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

/// Ties the products to where they are. LLVM moves the last ones to their uses, behind branches of
/// the epilogue: but WMMA needs all lanes of a wave, and what multiply-adds read would be in
/// registers all at once.
static Value tieToPlace(OpBuilder &builder, Location loc, Value sum) {
  return LLVM::InlineAsmOp::create(builder, loc, sum.getType(), ValueRange{sum}, /*asm_string=*/"",
                                   /*constraints=*/"=v,0", /*has_side_effects=*/true,
                                   /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                                   /*asm_dialect=*/LLVM::AsmDialectAttr(),
                                   /*operand_attrs=*/ArrayAttr())
      .getResult(0);
}

void ContractionEmitter::emitEpilogue(SmallVector<Value> sums) {
  for (Value &sum : sums)
    sum = tieToPlace(builder, loc, sum);
  // Only tiles at the end of the rows or columns have elements that are none.
  auto isWhole = [&](const ContractionSide &what, const SidePlan &side, Value start) -> Value {
    if (what.extent % side.tile == 0)
      return {};
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, start,
                                 index(what.extent - side.tile));
  };
  if (plan.what.rows.extent < plan.rows.tile || plan.what.columns.extent < plan.columns.tile)
    return finish(sums, /*isWhole=*/false); // there is no other
  Value whole = isWhole(plan.what.rows, plan.rows, rowStart);
  if (Value columnsWhole = isWhole(plan.what.columns, plan.columns, columnStart))
    whole = whole ? Value(arith::AndIOp::create(builder, loc, whole, columnsWhole)) : columnsWhole;
  if (!whole)
    return finish(sums, /*isWhole=*/true);
  auto branch = scf::IfOp::create(builder, loc, whole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  finish(sums, /*isWhole=*/true);
  builder.setInsertionPointToStart(branch.elseBlock());
  finish(sums, /*isWhole=*/false);
}

/// The epilogue of every sum of this lane, and its store.
void ContractionEmitter::finish(ArrayRef<Value> sums, bool isWhole) {
  // Sums are in registers by column within row: runs of columns that the lane has side by side can
  // be one store.
  const int64_t columnRun = plan.wmma ? 1 : accessWords;
  const bool asVectors = isWhole && columnRun > 1 && context.vectorDim >= 0;
  struct Line {
    int64_t offset;
    Value valid;
  };
  auto lines = [&](const ContractionSide &what, const SidePlan &side, Value start, Value own,
                   bool isRows) {
    SmallVector<Line> result;
    auto add = [&](int64_t offset) {
      Value valid;
      if (!isWhole && what.extent % side.tile != 0) {
        Value place = linear(linear(start, 1, own), 1, index(offset));
        valid = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, place,
                                      index(what.extent));
      }
      result.push_back({offset, valid});
    };
    if (plan.wmma) {
      int64_t count = isRows ? plan.ownRows() : plan.ownColumns();
      for (int64_t tile = 0; tile < count; tile += wmmaSize)
        for (int64_t line = 0; line < (isRows ? wmmaSize : 1); line += 2)
          add(tile + line);
      return result;
    }
    int64_t lanes = plan.lanes[isRows ? 0 : 1];
    for (int64_t run = 0; run < side.tile; run += lanes * accessWords)
      for (int64_t element = 0; element < accessWords; ++element)
        add(run + element);
    return result;
  };
  SmallVector<Line> ownRows = lines(plan.what.rows, plan.rows, rowStart, ownRow, true),
                    ownColumns =
                        lines(plan.what.columns, plan.columns, columnStart, ownColumn, false);
  auto sumOf = [&](size_t row, size_t column) -> Value {
    if (!plan.wmma)
      return sums[row * ownColumns.size() + column];
    constexpr size_t perLane = 8;
    Value matrix = sums[row / perLane * ownColumns.size() + column];
    return vector::ExtractOp::create(builder, loc, matrix, int64_t(row % perLane));
  };
  auto inBranch = [&](Value condition, llvm::function_ref<void()> emit) {
    if (!condition)
      return emit();
    auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    emit();
  };

  Value firstRow = linear(rowStart, 1, ownRow), firstColumn = linear(columnStart, 1, ownColumn);
  const size_t run = asVectors ? columnRun : 1;
  for (size_t column = 0; column < ownColumns.size(); column += run) {
    inBranch(ownColumns[column].valid, [&] {
      LoopPlace atColumn = batch;
      placeInLoops(builder, loc, nest, plan.what.columns.loops, firstColumn,
                   ownColumns[column].offset, /*run=*/INT64_MAX, atColumn);
      for (size_t row = 0; row < ownRows.size(); ++row) {
        inBranch(ownRows[row].valid, [&] {
          LoopPlace place = atColumn;
          placeInLoops(builder, loc, nest, plan.what.rows.loops, firstRow, ownRows[row].offset,
                       /*run=*/INT64_MAX, place);
          Instance at{place.deltas, static_cast<int64_t>(run)};
          Value sum = sumOf(row, column);
          if (run > 1) {
            SmallVector<Value> own;
            for (size_t element = 0; element < run; ++element)
              own.push_back(sumOf(row, column + element));
            sum = vector::FromElementsOp::create(builder, loc,
                                                 VectorType::get({at.lanes}, sum.getType()), own);
          }
          BodyEmitter body(builder, context, place.bases, /*guardsHold=*/false);
          body.set(nest.accumulated(), at, sum);
          body.store(body.emit(nest.stored(), at), at);
        });
      }
    });
  }
}
