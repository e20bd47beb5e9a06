//===- EvaluateConstant.cpp - one tiny op on known tensors ----------------===//
//
// Elements are computed in the widest type of their kind (double, int64_t or
// uint64_t) and stored once. That gives the results of the language to the bit: for
// an add, a mul, a div or a sqrt, rounding to double first and to f32 or less after
// it is one rounding (double has more than twice their digits), and integers wrap
// when they are stored. exp2, log2 and sin of the C library are exact to less than
// one ULP of double. A reduction of floats accumulates in double: that is one of
// the orders that are allowed, without their error.
//
// Thus thirteen ways to load, as many to store for each kind, and three kinds to
// compute in are all there is, in place of one loop per op and type.
//
//===----------------------------------------------------------------------===//

#include "ConstantTensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Elements in memory
//===----------------------------------------------------------------------===//

/// `value` rounded once, to nearest even, to a 16-bit float. In integers: helpers of a compiler's
/// library for it are not everywhere.
static uint16_t roundTo16(double value, int fractionBits, int exponentBits) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  uint16_t sign = static_cast<uint16_t>(bits >> 48) & 0x8000;
  int exponent = static_cast<int>(bits >> 52 & 2047) - 1023;
  uint64_t fraction = bits & ((uint64_t(1) << 52) - 1);
  uint64_t infinity = ((uint64_t(1) << exponentBits) - 1) << fractionBits;
  if (exponent == 1024)
    return sign | static_cast<uint16_t>(infinity | (fraction != 0) << (fractionBits - 1));
  int least = 2 - (1 << (exponentBits - 1)); // of a normal number
  int lost = 52 - fractionBits + std::max(least - exponent, 0);
  if (lost > 53) // below half of the smallest number; this takes the zeros too
    return sign;
  uint64_t significand = uint64_t(1) << 52 | fraction;
  uint64_t kept = significand >> lost, rest = significand & ((uint64_t(1) << lost) - 1);
  uint64_t half = uint64_t(1) << (lost - 1);
  kept += rest > half || (rest == half && kept & 1);
  // The leading one of a normal number adds one to the exponent, and a carry runs into it, up to
  // infinity.
  if (exponent > least)
    kept += static_cast<uint64_t>(exponent - least) << fractionBits;
  return sign | static_cast<uint16_t>(std::min(kept, infinity));
}

/// A double that rounds to a 16-bit float as the integer does: the bits that a double cannot hold
/// leave their trace in the lowest one that it can.
static double stickyDouble(uint64_t magnitude) {
  if (magnitude >> 53)
    magnitude = (magnitude & ~uint64_t(2047)) | (magnitude & 2047 ? 2048 : 0);
  return static_cast<double>(magnitude);
}
static double stickyDouble(int64_t value) {
  return value < 0 ? -stickyDouble(uint64_t(0) - static_cast<uint64_t>(value))
                   : stickyDouble(static_cast<uint64_t>(value));
}
static double stickyDouble(double value) { return value; }

namespace {

/// An element type: how its elements lie in memory, what they are computed in, and tiny.cast from
/// each of the three wide types.
template <typename T> struct Number {
  using Raw = T;
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double,
                                  std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
  static Wide widen(T raw) { return raw; }
  template <typename From> static T narrow(From value) {
    if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
      using Limits = std::numeric_limits<T>;
      if (!(value > static_cast<double>(Limits::min())))
        return std::isnan(value) ? T(0) : Limits::min();
      return value >= std::ldexp(1.0, Limits::digits) ? Limits::max() : static_cast<T>(value);
    } else {
      return static_cast<T>(value);
    }
  }
};

struct Bool {
  using Raw = uint8_t;
  using Wide = uint64_t;
  static Wide widen(Raw raw) { return raw; }
  template <typename From> static Raw narrow(From value) { return value != 0; }
};

struct Half {
  using Raw = uint16_t;
  using Wide = double;
  static Wide widen(Raw raw) {
    uint64_t sign = uint64_t(raw & 0x8000) << 48, exponent = raw >> 10 & 31, fraction = raw & 1023;
    double value;
    if (exponent == 0) {
      value = static_cast<double>(fraction) / (1 << 24);
      return sign ? -value : value;
    }
    uint64_t bits = sign | (exponent == 31 ? 2047 : exponent + (1023 - 15)) << 52 | fraction << 42;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  template <typename From> static Raw narrow(From value) {
    return roundTo16(stickyDouble(value), /*fractionBits=*/10, /*exponentBits=*/5);
  }
};

struct Brain {
  using Raw = uint16_t;
  using Wide = double;
  static Wide widen(Raw raw) {
    uint32_t bits = uint32_t(raw) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  template <typename From> static Raw narrow(From value) {
    return roundTo16(stickyDouble(value), /*fractionBits=*/7, /*exponentBits=*/8);
  }
};

} // namespace

/// Calls `function` with an object of the element type's description.
template <typename Function> static auto withNumber(Type type, Function function) {
  if (type.isF64())
    return function(Number<double>());
  if (type.isF32())
    return function(Number<float>());
  if (type.isF16())
    return function(Half());
  if (type.isBF16())
    return function(Brain());
  bool isUnsigned = type.isUnsignedInteger();
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return function(Bool());
  case 8:
    return isUnsigned ? function(Number<uint8_t>()) : function(Number<int8_t>());
  case 16:
    return isUnsigned ? function(Number<uint16_t>()) : function(Number<int16_t>());
  case 32:
    return isUnsigned ? function(Number<uint32_t>()) : function(Number<int32_t>());
  default:
    return isUnsigned ? function(Number<uint64_t>()) : function(Number<int64_t>());
  }
}

/// Calls `function` with a zero of the wide type that elements of `type` are computed in.
template <typename Function> static auto withWide(Type type, Function function) {
  if (isa<FloatType>(type))
    return function(double());
  return type.isUnsignedInteger() || type.isInteger(1) ? function(uint64_t()) : function(int64_t());
}

//===----------------------------------------------------------------------===//
// Lines of elements
//===----------------------------------------------------------------------===//

/// Elements that are computed together: few enough to stay in the first cache.
static constexpr int64_t kLine = 512;

namespace {
union Line {
  double real[kLine];
  int64_t integer[kLine];
  uint64_t natural[kLine];

  template <typename Wide> Wide *as() {
    if constexpr (std::is_same_v<Wide, double>)
      return real;
    else if constexpr (std::is_same_v<Wide, int64_t>)
      return integer;
    else
      return natural;
  }
};

/// Nested loops over elements that several buffers are walked by.
struct Loops {
  SmallVector<int64_t> sizes;
  SmallVector<SmallVector<int64_t>> strides; // per buffer
  SmallVector<int64_t> starts;
};
} // namespace

/// Loops over `shape` in the given order of dims, with those merged that are one loop for all.
static Loops makeLoops(ArrayRef<int64_t> shape, ArrayRef<int64_t> order,
                       ArrayRef<const Layout *> buffers) {
  Loops loops;
  loops.strides.resize(buffers.size());
  for (const Layout *buffer : buffers)
    loops.starts.push_back(buffer->offset);
  for (int64_t dim : order) {
    if (shape[dim] == 1)
      continue;
    bool merges = !loops.sizes.empty();
    for (auto [buffer, strides] : llvm::zip(buffers, loops.strides))
      merges &= merges && strides.back() == buffer->strides[dim] * shape[dim];
    if (merges)
      loops.sizes.back() *= shape[dim];
    else
      loops.sizes.push_back(shape[dim]);
    for (auto [buffer, strides] : llvm::zip(buffers, loops.strides)) {
      if (merges)
        strides.back() = buffer->strides[dim];
      else
        strides.push_back(buffer->strides[dim]);
    }
  }
  if (loops.sizes.empty()) {
    loops.sizes.push_back(1);
    for (SmallVector<int64_t> &strides : loops.strides)
      strides.push_back(0);
  }
  return loops;
}

/// Calls `line(positions, steps, count)` for runs of at most kLine elements.
template <typename Body> static void forEachLine(const Loops &loops, Body body) {
  size_t depth = loops.sizes.size(), buffers = loops.starts.size();
  SmallVector<int64_t> index(depth, 0), positions(loops.starts), steps, chunk;
  for (const SmallVector<int64_t> &strides : loops.strides)
    steps.push_back(strides.back());
  while (true) {
    int64_t left = loops.sizes.back();
    chunk = positions;
    for (; left > 0; left -= kLine) {
      int64_t count = std::min(left, kLine);
      body(ArrayRef<int64_t>(chunk), ArrayRef<int64_t>(steps), count);
      for (size_t k = 0; k < buffers; ++k)
        chunk[k] += steps[k] * count;
    }
    // The next index of the outer loops.
    size_t dim = depth - 1;
    while (true) {
      if (dim == 0)
        return;
      --dim;
      if (++index[dim] < loops.sizes[dim]) {
        for (size_t k = 0; k < buffers; ++k)
          positions[k] += loops.strides[k][dim];
        break;
      }
      for (size_t k = 0; k < buffers; ++k)
        positions[k] -= loops.strides[k][dim] * (loops.sizes[dim] - 1);
      index[dim] = 0;
    }
  }
}

/// Elements position, position + step, … of a buffer, made wide.
static void load(const ConstantTensor &from, int64_t position, int64_t step, int64_t count,
                 Line &line) {
  withNumber(from.elementType, [&](auto number) {
    using N = decltype(number);
    const auto *source = reinterpret_cast<const typename N::Raw *>(from.data.get()) + position;
    auto *to = line.as<typename N::Wide>();
    if (step == 1)
      for (int64_t k = 0; k < count; ++k)
        to[k] = N::widen(source[k]);
    else if (step == 0)
      std::fill_n(to, count, N::widen(*source));
    else
      for (int64_t k = 0; k < count; ++k)
        to[k] = N::widen(source[k * step]);
  });
}

/// Wide elements of type Wide as elements of `type`: tiny.cast.
template <typename Wide>
static void store(const Wide *line, int64_t count, Type type, char *data, int64_t position,
                  int64_t step) {
  withNumber(type, [&](auto number) {
    using N = decltype(number);
    auto *to = reinterpret_cast<typename N::Raw *>(data) + position;
    for (int64_t k = 0; k < count; ++k)
      to[k * step] = N::narrow(line[k]);
  });
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  return a < b || (a == b && std::signbit(a)) ? b : a;
}
static int64_t maximum(int64_t a, int64_t b) { return std::max(a, b); }
static uint64_t maximum(uint64_t a, uint64_t b) { return std::max(a, b); }

static double quotient(double a, double b) { return a / b; }
static uint64_t quotient(uint64_t a, uint64_t b) { return b ? a / b : 0; }
static int64_t quotient(int64_t a, int64_t b) {
  if (b == -1) // wraps for the least value, where a division would trap
    return static_cast<int64_t>(uint64_t(0) - static_cast<uint64_t>(a));
  return b ? a / b : 0;
}

/// Integers wrap, which signed C++ integers may not.
template <typename Wide> static Wide sum(Wide a, Wide b) {
  if constexpr (std::is_same_v<Wide, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <typename Wide> static Wide product(Wide a, Wide b) {
  if constexpr (std::is_same_v<Wide, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

/// lines[0] = op(lines[0], lines[1]), of `count` elements of type Wide; the result of a cmp, which
/// is natural, goes to the last line.
template <typename Wide>
static void compute(Operation *op, Type type, MutableArrayRef<Line> lines, int64_t count) {
  Wide *a = lines[0].as<Wide>();
  const Wide *b = lines[1].as<Wide>();
  auto unary = [&](auto function) {
    for (int64_t k = 0; k < count; ++k)
      a[k] = function(a[k]);
  };
  auto binary = [&](auto function) {
    for (int64_t k = 0; k < count; ++k)
      a[k] = function(a[k], b[k]);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](CastOp) {})
      .Case([&](AddOp) {
        if (type.isInteger(1))
          binary([](Wide x, Wide y) -> Wide { return x != y; });
        else
          binary([](Wide x, Wide y) { return sum(x, y); });
      })
      .Case([&](MulOp) { binary([](Wide x, Wide y) { return product(x, y); }); })
      .Case([&](DivOp) { binary([](Wide x, Wide y) { return quotient(x, y); }); })
      .Case([&](MaxOp) { binary([](Wide x, Wide y) { return maximum(x, y); }); })
      .Case([&](CmpOp cmp) {
        uint64_t *out = lines.back().natural;
        auto compare = [&](auto relation) {
          for (int64_t k = 0; k < count; ++k)
            out[k] = relation(a[k], b[k]);
        };
        switch (cmp.getPredicate()) {
        case CmpPredicate::lt:
          return compare([](Wide x, Wide y) { return x < y; });
        case CmpPredicate::le:
          return compare([](Wide x, Wide y) { return x <= y; });
        case CmpPredicate::eq:
          return compare([](Wide x, Wide y) { return x == y; });
        case CmpPredicate::ne:
          return compare([](Wide x, Wide y) { return x != y; });
        }
      })
      .Default([&](Operation *op) {
        if constexpr (std::is_same_v<Wide, double>) {
          if (isa<Exp2Op>(op))
            unary([](double x) { return std::exp2(x); });
          else if (isa<Log2Op>(op))
            unary([](double x) { return std::log2(x); });
          else if (isa<SinOp>(op))
            unary([](double x) { return std::sin(x); });
          else
            unary([](double x) { return std::sqrt(x); });
        }
      });
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

static std::shared_ptr<char> allocate(int64_t bytes) {
  constexpr size_t alignment = 64;
  void *memory = llvm::allocate_buffer(bytes, alignment);
  return std::shared_ptr<char>(static_cast<char *>(memory), [bytes](char *data) {
    llvm::deallocate_buffer(data, bytes, alignment);
  });
}

static SmallVector<const Layout *> layoutsOf(ArrayRef<ConstantTensor> tensors) {
  return llvm::map_to_vector(tensors, [](const ConstantTensor &t) { return &t.layout; });
}

static void evaluateElementwise(Operation *op, ArrayRef<ConstantTensor> operands,
                                const ConstantTensor &result, char *data) {
  SmallVector<const Layout *> buffers = {&result.layout};
  llvm::append_range(buffers, layoutsOf(operands));
  // A dim that the result does not store is one that no operand has: one element of it will do.
  SmallVector<int64_t> shape(result.layout.shape);
  for (auto [size, stride] : llvm::zip(shape, result.layout.strides))
    size = stride ? size : 1;
  Loops loops = makeLoops(shape, result.layout.memoryOrder(), buffers);
  Type from = operands.back().elementType, to = result.elementType;
  bool isSelect = isa<WhereOp>(op);
  std::vector<Line> lines(operands.size() + 1);
  forEachLine(loops, [&](ArrayRef<int64_t> at, ArrayRef<int64_t> steps, int64_t count) {
    for (auto [k, operand] : llvm::enumerate(operands))
      load(operand, at[k + 1], steps[k + 1], count, lines[k]);
    withWide(from, [&](auto zero) {
      using Wide = decltype(zero);
      if (isSelect) {
        Wide *onTrue = lines[1].as<Wide>(), *onFalse = lines[2].as<Wide>();
        for (int64_t k = 0; k < count; ++k)
          onTrue[k] = lines[0].natural[k] ? onTrue[k] : onFalse[k];
        return store<Wide>(onTrue, count, to, data, at[0], steps[0]);
      }
      compute<Wide>(op, from, lines, count);
      if (isa<CmpOp>(op))
        return store<uint64_t>(lines.back().natural, count, to, data, at[0], steps[0]);
      store<Wide>(lines[0].as<Wide>(), count, to, data, at[0], steps[0]);
    });
  });
}

static void evaluateReduce(ReduceOp op, const ConstantTensor &input, const ConstantTensor &result,
                           char *data) {
  // The result's layout over the input's dims: no step along what is reduced, nor along what the
  // result does not store (of which one element is taken).
  Layout target = Layout::splat(input.layout.shape);
  SmallVector<int64_t> shape(input.layout.shape);
  for (int64_t dim = 0, kept = 0, rank = shape.size(); dim < rank; ++dim) {
    if (llvm::is_contained(op.getDims(), dim))
      continue;
    target.strides[dim] = result.layout.strides[kept++];
    shape[dim] = target.strides[dim] ? shape[dim] : 1;
  }
  Loops loops = makeLoops(shape, input.layout.memoryOrder(), {&target, &input.layout});
  Type type = input.elementType;
  TypedAttr identity = reduceIdentity(op.getKind(), type);
  withWide(type, [&](auto zero) {
    using Wide = decltype(zero);
    Wide first;
    if constexpr (std::is_same_v<Wide, double>)
      first = cast<FloatAttr>(identity).getValue().convertToDouble();
    else if constexpr (std::is_same_v<Wide, int64_t>)
      first = cast<IntegerAttr>(identity).getValue().getSExtValue();
    else
      first = cast<IntegerAttr>(identity).getValue().getZExtValue();
    std::vector<Wide> totals(result.layout.numStored(), first);
    auto accumulate = [&](auto combine) {
      Line line;
      forEachLine(loops, [&](ArrayRef<int64_t> at, ArrayRef<int64_t> steps, int64_t count) {
        load(input, at[1], steps[1], count, line);
        const Wide *elements = line.as<Wide>();
        Wide *total = totals.data() + at[0];
        for (int64_t k = 0; k < count; ++k)
          total[k * steps[0]] = combine(total[k * steps[0]], elements[k]);
      });
    };
    switch (op.getKind()) {
    case ReduceKind::add:
      if (type.isInteger(1))
        accumulate([](Wide a, Wide b) -> Wide { return a != b; });
      else
        accumulate([](Wide a, Wide b) { return sum(a, b); });
      break;
    case ReduceKind::mul:
      accumulate([](Wide a, Wide b) { return product(a, b); });
      break;
    case ReduceKind::max:
      accumulate([](Wide a, Wide b) { return maximum(a, b); });
      break;
    }
    store<Wide>(totals.data(), totals.size(), type, data, 0, 1);
  });
}

/// Copies elements of `bytes` bytes each.
template <typename Raw> static void copyElements(const Loops &loops, const char *from, char *to) {
  forEachLine(loops, [&](ArrayRef<int64_t> at, ArrayRef<int64_t> steps, int64_t count) {
    Raw *target = reinterpret_cast<Raw *>(to) + at[0];
    const Raw *source = reinterpret_cast<const Raw *>(from) + at[1];
    for (int64_t k = 0; k < count; ++k)
      target[k * steps[0]] = source[k * steps[1]];
  });
}

/// Copies what `from` holds to where `layout` says in `data`.
static void copyTo(const ConstantTensor &from, const Layout &layout, char *data) {
  SmallVector<int64_t> shape(from.layout.shape);
  for (auto [size, stride] : llvm::zip(shape, layout.strides))
    size = stride ? size : 1;
  Loops loops = makeLoops(shape, layout.memoryOrder(), {&layout, &from.layout});
  switch (storageType(from.elementType).getIntOrFloatBitWidth()) {
  case 8:
    return copyElements<uint8_t>(loops, from.data.get(), data);
  case 16:
    return copyElements<uint16_t>(loops, from.data.get(), data);
  case 32:
    return copyElements<uint32_t>(loops, from.data.get(), data);
  default:
    return copyElements<uint64_t>(loops, from.data.get(), data);
  }
}

static void evaluatePad(PadOp op, const ConstantTensor &input, const ConstantTensor &result,
                        char *data) {
  APInt bits = isa<FloatAttr>(op.getValue())
                   ? cast<FloatAttr>(op.getValue()).getValue().bitcastToAPInt()
                   : cast<IntegerAttr>(op.getValue()).getValue();
  uint64_t element = bits.getZExtValue(); // little-endian, as the targets
  int64_t bytes = storageType(input.elementType).getIntOrFloatBitWidth() / 8;
  for (int64_t k = 0, count = result.layout.numStored(); k < count; ++k)
    std::memcpy(data + k * bytes, &element, bytes);
  Layout inside = result.layout;
  inside.shape = input.layout.shape;
  for (auto [low, stride] : llvm::zip(op.getLow(), inside.strides))
    inside.offset += low * stride;
  copyTo(input, inside, data);
}

/// A reshape that is no view: the operand in row-major order is the result.
static void evaluateReshape(const ConstantTensor &input, char *data) {
  copyTo(input, Layout::rowMajor(input.layout.shape), data);
}

ConstantTensor mlir::tiny::evaluate(Operation *op, ArrayRef<ConstantTensor> operands) {
  ResultLayout planned = resultLayout(op, layoutsOf(operands));
  Type type = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  ConstantTensor result{type, planned.layout, nullptr};
  if (planned.isView) {
    result.data = operands[0].data;
    return result;
  }
  std::shared_ptr<char> data = allocate(bytesOf(result.layout, type));
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](IotaOp) {
        for (int64_t k = 0, count = result.layout.numStored(); k < count; ++k)
          store<int64_t>(&k, 1, type, data.get(), k, 1);
      })
      .Case([&](ReduceOp reduce) { evaluateReduce(reduce, operands[0], result, data.get()); })
      .Case([&](PadOp pad) { evaluatePad(pad, operands[0], result, data.get()); })
      .Case([&](ReshapeOp) { evaluateReshape(operands[0], data.get()); })
      .Default([&](Operation *op) { evaluateElementwise(op, operands, result, data.get()); });
  result.data = data;
  return result;
}

ConstantTensor mlir::tiny::pack(const ConstantTensor &value) {
  ConstantTensor result{value.elementType, Layout::packed(value.layout), nullptr};
  std::shared_ptr<char> data = allocate(bytesOf(result.layout, value.elementType));
  copyTo(value, result.layout, data.get());
  result.data = data;
  return result;
}
