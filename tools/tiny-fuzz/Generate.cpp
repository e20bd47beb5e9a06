//===- Generate.cpp - random tiny programs --------------------------------===//
//
// Grows a program op by op. An operand that must have another type or shape is
// brought there by a cast and movement ops, so nothing generated is thrown away
// and chains of movement come up all the time.
//
//===----------------------------------------------------------------------===//

#include "Generate.h"

#include "RandomElements.h"
#include "Tiny/IR/TinyDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tiny;
using namespace tinyfuzz;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

namespace {
class Generator {
public:
  Generator(MLIRContext *context, uint64_t seed, const GenerateOptions &options)
      : random(seed), b(context), loc(b.getUnknownLoc()), options(options) {}
  OwningOpRef<ModuleOp> run();

private:
  // Choices.
  Type randomElementType();
  SmallVector<int64_t> randomShape();
  SmallVector<int64_t> randomFactors(int64_t count);
  Value pick();
  template <typename Predicate> Value pickIf(Predicate predicate);
  Value pickFloat();
  int64_t left() const { return options.maxOps - ops; }

  // One op each; the value joins the pool.
  template <typename Op, typename... Args> Value emit(Args &&...args) {
    ++ops;
    Value value = Op::create(b, loc, std::forward<Args>(args)...);
    pool.push_back(value);
    return value;
  }
  Value castTo(Value value, Type elementType);
  Value reshape(Value value, ArrayRef<int64_t> shape);
  Value expand(Value value, ArrayRef<int64_t> shape);
  Value shrinkFromZero(Value value, ArrayRef<int64_t> sizes);
  Value randomMovement(Value value);

  // Several ops.
  Value fit(Value value, Type elementType, ArrayRef<int64_t> shape);
  Value partnerOf(Value value);
  Value matmul();
  Value convolution();
  Value scaledSum();
  Value update();
  Value cumulative();

  void step();
  void elementwise();

  Random random;
  OpBuilder b;
  Location loc;
  GenerateOptions options;
  SmallVector<Value> pool;
  int64_t ops = 0;
};
} // namespace

Type Generator::randomElementType() {
  MLIRContext *context = b.getContext();
  if (random.chance(45))
    return b.getF32Type();
  auto integer = [&](unsigned width, IntegerType::SignednessSemantics sign) -> Type {
    return IntegerType::get(context, width, sign);
  };
  switch (random.below(12)) {
  case 0:
    return b.getF64Type();
  case 1:
    return b.getF16Type();
  case 2:
    return b.getBF16Type();
  case 3:
    return b.getI1Type();
  default:
    unsigned width = 8 << random.below(4);
    return integer(width, random.chance(50) ? IntegerType::Signless : IntegerType::Unsigned);
  }
}

SmallVector<int64_t> Generator::randomShape() {
  static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 31, 33, 64, 97};
  SmallVector<int64_t> shape;
  int64_t rank = random.chance(20) ? random.between(4, 6) : random.below(4), count = 1;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t size = random.chance(1) ? 0 : sizes[random.below(std::size(sizes))];
    if (count * size > options.maxElements / 4)
      size = 1;
    shape.push_back(size);
    count *= std::max<int64_t>(size, 1);
  }
  return shape;
}

/// A random shape with `count` elements.
SmallVector<int64_t> Generator::randomFactors(int64_t count) {
  SmallVector<int64_t> shape;
  if (count == 0) {
    shape = {0};
  } else {
    for (int64_t factor = 2; count > 1 && shape.size() < 5;) {
      if (count % factor) {
        factor = factor * factor > count ? count : factor + 1;
        continue;
      }
      if (shape.empty() || random.chance(60))
        shape.push_back(factor);
      else
        shape[random.below(shape.size())] *= factor;
      count /= factor;
    }
    if (count > 1)
      shape.back() *= count;
  }
  while (shape.size() < 6 && random.chance(20))
    shape.insert(shape.begin() + random.below(shape.size() + 1), 1);
  return shape;
}

/// The newest values mostly, so that programs are deep.
Value Generator::pick() {
  if (random.chance(60)) {
    int64_t recent = std::min<int64_t>(pool.size(), 3);
    return pool[pool.size() - 1 - random.below(recent)];
  }
  return pool[random.below(pool.size())];
}

template <typename Predicate> Value Generator::pickIf(Predicate predicate) {
  SmallVector<Value> candidates;
  for (Value value : pool)
    if (predicate(value))
      candidates.push_back(value);
  return candidates.empty() ? Value() : candidates[random.below(candidates.size())];
}

Value Generator::pickFloat() {
  Value value = pick();
  if (isa<FloatType>(typeOf(value).getElementType()))
    return value;
  value = pickIf([](Value v) { return isa<FloatType>(typeOf(v).getElementType()); });
  return value ? value : castTo(pick(), b.getF32Type());
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Value Generator::castTo(Value value, Type elementType) {
  if (typeOf(value).getElementType() == elementType)
    return value;
  return emit<CastOp>(typeOf(value).clone(elementType), value);
}

Value Generator::reshape(Value value, ArrayRef<int64_t> shape) {
  if (typeOf(value).getShape() == shape)
    return value;
  return emit<ReshapeOp>(typeOf(value).clone(shape), value);
}

Value Generator::expand(Value value, ArrayRef<int64_t> shape) {
  if (typeOf(value).getShape() == shape)
    return value;
  return emit<ExpandOp>(typeOf(value).clone(shape), value);
}

Value Generator::shrinkFromZero(Value value, ArrayRef<int64_t> sizes) {
  if (typeOf(value).getShape() == sizes)
    return value;
  return emit<ShrinkOp>(value, SmallVector<int64_t>(sizes.size(), 0), sizes);
}

Value Generator::randomMovement(Value value) {
  RankedTensorType type = typeOf(value);
  int64_t rank = type.getRank(), count = type.getNumElements();
  switch (random.below(6)) {
  case 0:
    return emit<ReshapeOp>(type.clone(randomFactors(count)), value);
  case 1: {
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(rank));
    for (int64_t k = rank; k > 1; --k)
      std::swap(permutation[k - 1], permutation[random.below(k)]);
    return emit<PermuteOp>(value, permutation);
  }
  case 2: {
    SmallVector<int64_t> shape(type.getShape());
    if (!llvm::is_contained(shape, 1) && rank < 6) {
      shape.insert(shape.begin() + random.below(rank + 1), 1);
      value = reshape(value, shape);
    }
    for (int64_t &size : shape)
      if (size == 1 && random.chance(60)) {
        int64_t repeats = random.between(random.chance(3) ? 0 : 2, 7);
        if (count * repeats <= options.maxElements) {
          size = repeats;
          count *= std::max<int64_t>(repeats, 1);
        }
      }
    return emit<ExpandOp>(type.clone(shape), value);
  }
  case 3: {
    SmallVector<int64_t> low, high;
    int64_t padded = 1;
    for (int64_t size : type.getShape())
      padded *= size + 6;
    for (int64_t dim = 0; dim < rank; ++dim) {
      bool isPadded = padded <= options.maxElements && random.chance(60);
      low.push_back(isPadded ? random.below(4) : 0);
      high.push_back(isPadded ? random.below(4) : 0);
    }
    Flavour flavour = random.chance(80) ? Flavour::smallIntegers : randomFlavour(random);
    return emit<PadOp>(value, low, high, randomScalar(random, type.getElementType(), flavour));
  }
  case 4: {
    SmallVector<int64_t> offsets, sizes;
    for (int64_t size : type.getShape()) {
      int64_t kept = random.chance(50) ? size : random.between(std::min<int64_t>(size, 1), size);
      if (random.chance(1))
        kept = 0;
      sizes.push_back(kept);
      offsets.push_back(random.between(0, size - kept));
    }
    return emit<ShrinkOp>(value, offsets, sizes);
  }
  default: {
    SmallVector<int64_t> steps;
    for (int64_t dim = 0; dim < rank; ++dim)
      steps.push_back((random.chance(60) ? 1 : random.between(2, 4)) *
                      (random.chance(30) ? -1 : 1));
    return emit<StrideOp>(value, steps);
  }
  }
}

/// Any value as a value of the given type: at most seven ops.
Value Generator::fit(Value value, Type elementType, ArrayRef<int64_t> shape) {
  value = castTo(value, elementType);
  int64_t wanted = typeOf(value).clone(shape).getNumElements();
  int64_t count = typeOf(value).getNumElements();
  if (count != wanted) {
    value = reshape(value, {count});
    if (count == 0)
      value = emit<PadOp>(value, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{wanted},
                          randomScalar(random, elementType, Flavour::smallIntegers));
    else if (count < wanted) {
      int64_t repeats = (wanted + count - 1) / count;
      value = expand(reshape(value, {1, count}), {repeats, count});
      value = reshape(value, {repeats * count});
    }
    value = shrinkFromZero(value, {wanted});
  }
  return reshape(value, shape);
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

/// Another operand of the type of `value`.
Value Generator::partnerOf(Value value) {
  if (left() > 10 && random.chance(50)) {
    if (random.chance(30))
      return emit<ConstantOp>(randomElements(random, typeOf(value)));
    return fit(pick(), typeOf(value).getElementType(), typeOf(value).getShape());
  }
  return pickIf([&](Value other) { return other.getType() == value.getType(); });
}

void Generator::elementwise() {
  Value a = pick();
  if (random.chance(15))
    a = castTo(a, randomElementType());
  switch (random.below(8)) {
  case 0:
    emit<AddOp>(a, partnerOf(a));
    return;
  case 1:
    emit<MulOp>(a, partnerOf(a));
    return;
  case 2:
    emit<MaxOp>(a, partnerOf(a));
    return;
  case 3:
    if (typeOf(a).getElementType().isInteger(1))
      a = castTo(a, b.getI32Type());
    emit<DivOp>(a, partnerOf(a));
    return;
  case 4: {
    auto predicate = static_cast<CmpPredicate>(random.below(4));
    emit<CmpOp>(predicate, a, partnerOf(a));
    return;
  }
  case 5: {
    Value condition = partnerOf(a);
    if (!typeOf(condition).getElementType().isInteger(1))
      condition = emit<CmpOp>(CmpPredicate::lt, condition, a);
    emit<WhereOp>(a.getType(), condition, a, partnerOf(a));
    return;
  }
  case 6:
    a = castTo(a, randomElementType());
    return;
  default:
    a = pickFloat();
    switch (random.below(4)) {
    case 0:
      emit<Exp2Op>(a);
      return;
    case 1:
      emit<Log2Op>(a);
      return;
    case 2:
      emit<SinOp>(a);
      return;
    default:
      emit<SqrtOp>(a);
      return;
    }
  }
}

/// (m, k) times (k, n), as a front end writes it: nine ops at most, and two fits.
Value Generator::matmul() {
  int64_t m = random.between(1, 9), k = random.between(1, 17), n = random.between(1, 9);
  Type type = random.chance(70) ? b.getF32Type() : randomElementType();
  Value lhs = fit(pick(), type, {m, k}), rhs = fit(pick(), type, {k, n});
  lhs = expand(reshape(lhs, {m, 1, k}), {m, n, k});
  rhs = reshape(emit<PermuteOp>(rhs, ArrayRef<int64_t>{1, 0}), {1, n, k});
  rhs = expand(rhs, {m, n, k});
  return emit<ReduceOp>(ReduceKind::add, emit<MulOp>(lhs, rhs), ArrayRef<int64_t>{2});
}

/// A padded one-dimensional convolution or pooling with stride and dilation, its windows made by
/// expand, reshape, shrink: about twenty ops.
Value Generator::convolution() {
  int64_t channels = random.between(1, 3), size = random.between(5, 16);
  int64_t taps = random.between(1, 3), dilation = random.between(1, 2),
          stride = random.between(1, 2);
  int64_t padding = random.below(2), filters = random.between(1, 3);
  Type type = random.chance(70) ? b.getF32Type() : randomElementType();
  Value input = fit(pick(), type, {channels, size});
  if (padding) {
    input = emit<PadOp>(input, ArrayRef<int64_t>{0, padding}, ArrayRef<int64_t>{0, padding},
                        randomScalar(random, type, Flavour::smallIntegers));
    size += 2 * padding;
  }
  int64_t positions = (size - dilation * (taps - 1) - 1) / stride + 1;
  // Tap t of position p is element p * stride + t * dilation: rows of size + dilation of a tensor
  // that repeats every `size` elements start `dilation` later each.
  int64_t row = size + dilation, repeats = (taps * row + size - 1) / size;
  Value windows = expand(reshape(input, {channels, 1, size}), {channels, repeats, size});
  windows = shrinkFromZero(reshape(windows, {channels, repeats * size}), {channels, taps * row});
  windows = reshape(windows, {channels, taps, row});
  windows = shrinkFromZero(windows, {channels, taps, (positions - 1) * stride + 1});
  if (stride > 1)
    windows = emit<StrideOp>(windows, ArrayRef<int64_t>{1, 1, stride});
  if (left() < 12) { // pooling
    auto kind = random.chance(50) ? ReduceKind::max : ReduceKind::add;
    return emit<ReduceOp>(kind, windows, ArrayRef<int64_t>{1});
  }
  Value weights = emit<ConstantOp>(
      randomElements(random, RankedTensorType::get({filters, channels, taps, 1}, type)));
  SmallVector<int64_t> shape = {filters, channels, taps, positions};
  windows = expand(reshape(windows, {1, channels, taps, positions}), shape);
  Value products = emit<MulOp>(windows, expand(weights, shape));
  return emit<ReduceOp>(ReduceKind::add, products, ArrayRef<int64_t>{1, 2});
}

/// (m, k) times constants (k, n), and a constant factor or divisor of each column (or of all)
/// behind it, with summands and movement in between: about fifteen ops, and a fit.
Value Generator::scaledSum() {
  int64_t m = random.between(1, 5), k = random.between(1, 9), n = random.between(1, 6);
  Type type = random.chance(80) ? b.getF32Type() : b.getF64Type();
  auto constant = [&](ArrayRef<int64_t> shape) {
    return emit<ConstantOp>(randomElements(random, RankedTensorType::get(shape, type)));
  };
  Value x = expand(reshape(fit(pick(), type, {m, k}), {m, 1, k}), {m, n, k});
  Value weights =
      random.chance(50)
          ? constant({1, n, k})
          : reshape(emit<PermuteOp>(constant({k, n}), ArrayRef<int64_t>{1, 0}), {1, n, k});
  Value sum = emit<ReduceOp>(ReduceKind::add, emit<MulOp>(x, expand(weights, {m, n, k})),
                             ArrayRef<int64_t>{2});
  bool isTurned = random.chance(30);
  if (isTurned)
    sum = emit<PermuteOp>(sum, ArrayRef<int64_t>{1, 0});
  SmallVector<int64_t> columns = {1, n}, shape = {m, n};
  if (isTurned) {
    std::swap(columns[0], columns[1]);
    std::swap(shape[0], shape[1]);
  }
  auto perColumn = [&]() -> Value {
    return random.chance(80) ? expand(constant(columns), shape) : constant(shape);
  };
  for (int64_t factors = random.between(1, 2); factors > 0; --factors) {
    if (random.chance(50))
      sum = emit<AddOp>(sum, perColumn());
    Value factor = perColumn();
    sum = random.chance(70) ? emit<MulOp>(factor, sum) : emit<DivOp>(sum, factor);
    if (random.chance(50))
      sum = emit<AddOp>(perColumn(), sum);
  }
  return sum;
}

/// A value with new elements where a position equals a number of the data: about ten ops, and fits.
Value Generator::update() {
  Value old =
      pickIf([](Value v) { return typeOf(v).getRank() > 0 && typeOf(v).getNumElements() > 0; });
  if (!old)
    return matmul();
  SmallVector<int64_t> shape(typeOf(old).getShape()), kept(shape), rows(shape);
  int64_t dim = random.below(shape.size());
  for (auto [axis, size] : llvm::enumerate(kept))
    if (static_cast<int64_t>(axis) == dim || random.chance(50))
      size = 1;
  rows[dim] = 1;
  Type type = random.chance(50) ? b.getI32Type() : b.getI64Type();
  Value place = expand(fit(pick(), type, kept), shape);
  Value position = emit<IotaOp>(RankedTensorType::get(shape, type), dim);
  bool isNegated = random.chance(30);
  Value chosen = emit<CmpOp>(isNegated ? CmpPredicate::ne : CmpPredicate::eq, position, place);
  Value fresh = expand(fit(pick(), typeOf(old).getElementType(), rows), shape);
  if (random.chance(30))
    fresh = emit<MaxOp>(fresh, old);
  if (isNegated)
    std::swap(fresh, old);
  return emit<WhereOp>(fresh.getType(), chosen, fresh, old);
}

/// A reduction over the positions up to each one, or from there on: about ten ops, and a fit.
Value Generator::cumulative() {
  int64_t before = random.between(1, 5), size = random.between(2, 20),
          behind = random.between(1, 3);
  Type type = random.chance(60) ? b.getF32Type() : randomElementType();
  SmallVector<int64_t> square = {before, size, size, behind};
  Value terms = fit(pick(), type, {before, size, behind});
  terms = expand(reshape(terms, {before, 1, size, behind}), square);
  Value row = emit<IotaOp>(RankedTensorType::get(square, b.getI32Type()), 1);
  Value term = emit<IotaOp>(RankedTensorType::get(square, b.getI32Type()), 2);
  if (random.chance(50))
    std::swap(row, term);
  Value chosen = emit<CmpOp>(random.chance(50) ? CmpPredicate::lt : CmpPredicate::le, term, row);
  auto kind = static_cast<ReduceKind>(random.below(3));
  Value left = emit<ConstantOp>(DenseElementsAttr::get(RankedTensorType::get(square, type),
                                                       Attribute(reduceIdentity(kind, type))));
  if (random.chance(30))
    std::swap(terms, left);
  Value selected = emit<WhereOp>(terms.getType(), chosen, terms, left);
  return emit<ReduceOp>(kind, selected, ArrayRef<int64_t>{2});
}

void Generator::step() {
  if (options.selections && left() > 25 && random.chance(30)) {
    random.chance(50) ? update() : cumulative();
    return;
  }
  if (options.scaledSums && left() > 25 && random.chance(30)) {
    scaledSum();
    return;
  }
  int64_t roll = random.below(100);
  if (roll < 38) {
    elementwise();
  } else if (roll < 68) {
    Value value = pick();
    for (int64_t count = random.between(1, 4); count > 0 && left() > 2; --count)
      value = randomMovement(value);
  } else if (roll < 82) {
    Value value = pick();
    SmallVector<int64_t> dims;
    for (int64_t dim = 0; dim < typeOf(value).getRank(); ++dim)
      if (random.chance(40))
        dims.push_back(dim);
    auto kind = static_cast<ReduceKind>(random.below(3));
    emit<ReduceOp>(kind, value, dims);
  } else if (roll < 87 && left() > 25) {
    matmul();
  } else if (roll < 92 && left() > 25) {
    convolution();
  } else if (roll < 96) {
    SmallVector<int64_t> shape = randomShape();
    Type type = randomElementType();
    if (type.isInteger(1))
      type = b.getI32Type();
    if (!shape.empty())
      emit<IotaOp>(RankedTensorType::get(shape, type), random.below(shape.size()));
  } else {
    emit<ConstantOp>(
        randomElements(random, RankedTensorType::get(randomShape(), randomElementType())));
  }
}

OwningOpRef<ModuleOp> Generator::run() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  SmallVector<Type> inputs;
  for (int64_t k = random.between(1, 3); k > 0; --k)
    inputs.push_back(RankedTensorType::get(randomShape(), randomElementType()));
  b.setInsertionPointToStart(module->getBody());
  auto function = func::FuncOp::create(b, loc, "main", b.getFunctionType(inputs, {}));
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  pool.assign(body->args_begin(), body->args_end());
  int64_t wanted = random.between(1, options.maxOps);
  while (ops < wanted && left() > 4)
    step();
  if (ops == 0)
    emit<MaxOp>(pool.front(), pool.front());

  SmallVector<Value> results;
  for (Value value : pool)
    if (value.use_empty() && !isa<BlockArgument>(value))
      results.push_back(value);
  func::ReturnOp::create(b, loc, results);
  function.setFunctionType(b.getFunctionType(inputs, ValueRange(results).getTypes()));
  return module;
}

OwningOpRef<ModuleOp> tinyfuzz::generateProgram(MLIRContext *context, uint64_t seed,
                                                const GenerateOptions &options) {
  return Generator(context, seed, options).run();
}
