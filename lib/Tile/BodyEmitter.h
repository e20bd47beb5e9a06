//===- BodyEmitter.h - one copy of a kernel's body on vectors -------------===//
//
// A register tile is many copies of one scalar body, each at its own position in the
// loops. A value is emitted once for all copies that agree in the loops it depends on:
// that is the whole of register reuse. A value that the vector loop does not move stays
// a scalar until a vector op needs it.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_TILE_BODYEMITTER_H
#define TINY_LIB_TILE_BODYEMITTER_H

#include "KernelNest.h"

#include <functional>
#include <map>

namespace mlir::tiny {

/// Where one copy of the body stands, relative to the loops around it: loop `d` is at
/// `bases[d] + deltas[d]`, and the vector loop at `lanes` consecutive places from there on.
struct Instance {
  SmallVector<int64_t> deltas;
  int64_t lanes = 1;
};

/// What does not change while one kernel is emitted.
struct EmissionContext {
  const KernelNest &nest;
  int64_t vectorDim;          ///< -1 for none.
  SmallVector<int64_t> order; ///< The loops, outermost first.
  bool hasFma;
  const llvm::DenseMap<Value, Value> &flat; ///< Buffer to its rank-1 view.
  /// Whether this is one lane of many: then a branch or a mask costs all of them, so that an access
  /// whose guard fails goes to the first element instead.
  bool simt = false;
  /// Bits of the narrowest elements that are loaded under a mask; 0 where none are.
  unsigned maskedBits = 0;
  /// Whether the result's vectors go past the caches.
  bool streams = false;
  /// How many steps of each loop the register tile has; empty where that is not told.
  SmallVector<int64_t> extents = {};
  /// The lanes that anybody wants, where masks are had; null for all. No others are loaded, or
  /// stored where the result is contiguous.
  Value laneMask = {};
};

/// Evaluates affine expressions at an instance.
class IndexEmitter {
public:
  /// A symbol that the body computes, at an instance: a vector of index if the vector loop moves
  /// it.
  using ComputedSymbol = std::function<Value(unsigned, const Instance &)>;

  IndexEmitter(OpBuilder &builder, Location loc, const EmissionContext &context,
               ArrayRef<Value> bases, ComputedSymbol computed = {})
      : builder(builder), loc(loc), context(context), bases(bases), computed(std::move(computed)) {}

  /// The value at the first lane, plus `offset`.
  Value scalar(AffineExpr expr, const Instance &at, int64_t offset = 0);
  /// The values at all lanes: a vector of i32 where that is wide enough, else of index.
  Value lanes(AffineExpr expr, const Instance &at);
  /// The element type of `lanes(expr)`.
  Type laneType(AffineExpr expr);

private:
  Value scalarTerm(AffineExpr term, const Instance &at);
  Value laneTerm(AffineExpr term, const Instance &at, Type type);
  Value laneSum(AffineExpr expr, const Instance &at, Type type);
  Value divide(AffineExprKind kind, Value lhs, int64_t divisor, Interval range);
  Value constant(Type type, int64_t value);
  bool fits32(AffineExpr expr);

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  ArrayRef<Value> bases;
  ComputedSymbol computed;
};

/// A vector from the elements of `flat` from `place` on, as a CPU or, with `simt`, a lane loads it.
Value loadVector(OpBuilder &builder, Location loc, VectorType type, Value flat, Value place,
                 bool simt);
void storeVector(OpBuilder &builder, Location loc, Value value, Value flat, Value place, bool simt);
/// The same past the caches of a CPU, where `place` is aligned.
void streamVector(OpBuilder &builder, Location loc, Value value, Value flat, Value place);

/// Emits values of the scalar body at instances that share one block and one set of bases.
class BodyEmitter {
public:
  /// With `guardsHold`, no guard is tested.
  BodyEmitter(OpBuilder &builder, const EmissionContext &context, ArrayRef<Value> bases,
              bool guardsHold)
      : builder(builder), loc(context.nest.loc()), context(context),
        index(builder, loc, context, bases,
              [this](unsigned symbol, const Instance &at) { return emitSymbol(symbol, at); }),
        guardsHold(guardsHold) {}
  BodyEmitter(const BodyEmitter &) = delete;

  /// `value` of the body at an instance: a scalar, or a vector if the vector loop moves it.
  Value emit(Value value, const Instance &at);
  /// Makes `emit(value, at)` give `known`, for an accumulator.
  void set(Value value, const Instance &at, Value known);
  /// Combines an accumulator with the reduction's value.
  Value accumulate(Value accumulator, const Instance &at);
  void store(Value value, const Instance &at);

  /// `value` with `lanes` lanes; a scalar is broadcast.
  Value widen(Value value, int64_t lanes);

private:
  using Key = std::pair<void *, SmallVector<int64_t>>;
  Key keyOf(Value value, const Instance &at);
  bool isVector(Value value, const Instance &at);
  Value emitOp(Operation *op, const Instance &at, int64_t lanes);
  Value load(const Access &access, const Instance &at);
  Value loadLanes(const Access &access, const Instance &at);
  Value loadTransposed(const Access &access, const Instance &at);
  Value loadSpan(int64_t lanes, int64_t stride, llvm::function_ref<Value(int64_t)> loadAt);
  Value loadMasked(const Access &access, const Instance &at, Value mask, Value pads,
                   std::optional<int64_t> stride);
  Value loadGuarded(const Access &access, const Instance &at);
  Value loadChosen(const Access &access, const Instance &at, Value mask,
                   std::optional<int64_t> stride);
  void storeGuarded(Value value, const Instance &at);
  Value emitSymbol(unsigned symbol, const Instance &at);
  Value isWithin(Value number, int64_t low, int64_t high, Interval range);
  Value holds(const Guard &guard, const Instance &at, bool asLanes);
  Value constant(TypedAttr value);

  OpBuilder &builder;
  Location loc;
  const EmissionContext &context;
  IndexEmitter index;
  bool guardsHold;
  std::map<Key, Value> emitted;
  /// By access and place: vectors along the lanes, for consecutive steps of another loop.
  std::map<Key, SmallVector<Value>> transposed;
};

/// As many vectors as each of them has elements, a power of two, with rows and columns exchanged.
SmallVector<Value> transposeVectors(OpBuilder &builder, Location loc, ArrayRef<Value> rows);

} // namespace mlir::tiny

#endif // TINY_LIB_TILE_BODYEMITTER_H
