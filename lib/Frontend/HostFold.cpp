//===- HostFold.cpp - evaluate tiny ops on small constants ----------------===//
//
// Exact where the dialect is exact: integers are APInt, floats are APFloat. A
// movement op is a list of source indices, so that both kinds share it.
//
//===----------------------------------------------------------------------===//

#include "HostFold.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APSInt.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tiny;

/// Shape arithmetic has a handful of elements, its one-hot selections and masks some thousands.
static constexpr int64_t kMaxElements = 1 << 16;

DenseElementsAttr HostTensor::attribute() const {
  return isa<FloatType>(type.getElementType()) ? DenseElementsAttr::get(type, floats)
                                               : DenseElementsAttr::get(type, ints);
}

static RankedTensorType withElement(RankedTensorType type, Type element) {
  return RankedTensorType::get(type.getShape(), element);
}

static bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

static std::optional<HostTensor> constant(ElementsAttr elements) {
  auto type = cast<RankedTensorType>(elements.getType());
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      if (!type.getElementType().isInteger(1) &&
          blob->getData().size() == static_cast<size_t>(storageBytes(type)))
        dense = DenseElementsAttr::getFromRawBuffer(type, blob->getData());
  if (!dense)
    return std::nullopt;
  HostTensor result{type, {}, {}};
  if (isa<FloatType>(type.getElementType()))
    llvm::append_range(result.floats, dense.getValues<APFloat>());
  else
    llvm::append_range(result.ints, dense.getValues<APInt>());
  return result;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static APFloat toFloat(double value, Type type) {
  APFloat result(value);
  bool ignored;
  result.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &ignored);
  return result;
}

static double toDouble(APFloat value) {
  bool ignored;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &ignored);
  return value.convertToDouble();
}

static APInt castToInt(const APFloat &value, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (to.isInteger(1))
    return APInt(1, !value.isZero());
  llvm::APSInt result(width, isUnsigned(to));
  bool ignored; // saturates, and takes NaN for 0, as the op does
  value.convertToInteger(result, APFloat::rmTowardZero, &ignored);
  return result;
}

static APInt castToInt(const APInt &value, Type from, Type to) {
  if (to.isInteger(1))
    return APInt(1, !value.isZero());
  unsigned width = to.getIntOrFloatBitWidth();
  return isUnsigned(from) ? value.zextOrTrunc(width) : value.sextOrTrunc(width);
}

static APFloat castToFloat(const APInt &value, Type from, Type to) {
  APFloat result(cast<FloatType>(to).getFloatSemantics());
  result.convertFromAPInt(value, !isUnsigned(from), APFloat::rmNearestTiesToEven);
  return result;
}

static HostTensor castTensor(const HostTensor &in, RankedTensorType type) {
  Type from = in.type.getElementType(), to = type.getElementType();
  HostTensor out{type, {}, {}};
  bool ignored;
  for (const APFloat &value : in.floats) {
    if (auto floatType = dyn_cast<FloatType>(to)) {
      out.floats.push_back(value);
      out.floats.back().convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                                &ignored);
    } else {
      out.ints.push_back(castToInt(value, to));
    }
  }
  for (const APInt &value : in.ints) {
    if (isa<FloatType>(to))
      out.floats.push_back(castToFloat(value, from, to));
    else
      out.ints.push_back(castToInt(value, from, to));
  }
  return out;
}

static APInt maximum(const APInt &a, const APInt &b, Type type) {
  return isUnsigned(type) ? llvm::APIntOps::umax(a, b) : llvm::APIntOps::smax(a, b);
}

static APInt divide(const APInt &a, const APInt &b, Type type) {
  if (b.isZero())
    return APInt::getZero(a.getBitWidth());
  return isUnsigned(type) ? a.udiv(b) : a.sdiv(b); // APInt wraps min / -1
}

static bool compare(CmpPredicate predicate, const APInt &a, const APInt &b, Type type) {
  switch (predicate) {
  case CmpPredicate::lt:
    return isUnsigned(type) ? a.ult(b) : a.slt(b);
  case CmpPredicate::le:
    return isUnsigned(type) ? a.ule(b) : a.sle(b);
  case CmpPredicate::eq:
    return a == b;
  case CmpPredicate::ne:
    return a != b;
  }
  llvm_unreachable("all predicates are above");
}

static bool compare(CmpPredicate predicate, const APFloat &a, const APFloat &b, Type) {
  switch (predicate) {
  case CmpPredicate::lt:
    return a < b;
  case CmpPredicate::le:
    return a <= b;
  case CmpPredicate::eq:
    return a == b;
  case CmpPredicate::ne:
    return a != b;
  }
  llvm_unreachable("all predicates are above");
}

/// Applies `onInts` or `onFloats` to each pair of elements; both operands have `type`.
template <typename OnInts, typename OnFloats>
static HostTensor zip(const HostTensor &a, const HostTensor &b, OnInts onInts, OnFloats onFloats) {
  HostTensor out{a.type, {}, {}};
  for (auto [x, y] : llvm::zip_equal(a.ints, b.ints))
    out.ints.push_back(onInts(x, y, a.type.getElementType()));
  for (auto [x, y] : llvm::zip_equal(a.floats, b.floats))
    out.floats.push_back(onFloats(x, y));
  return out;
}

/// sqrt is exact (a double holds enough of it to round once more); the others are within the
/// dialect's bounds.
static HostTensor map(const HostTensor &in, double (*function)(double)) {
  HostTensor out{in.type, {}, {}};
  for (const APFloat &value : in.floats)
    out.floats.push_back(toFloat(function(toDouble(value)), in.type.getElementType()));
  return out;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

/// Calls `visit` with every index of `shape` in row-major order.
template <typename Visit> static void forEachIndex(ArrayRef<int64_t> shape, Visit visit) {
  SmallVector<int64_t> index(shape.size(), 0);
  if (llvm::is_contained(shape, 0))
    return;
  while (true) {
    visit(ArrayRef<int64_t>(index));
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

/// The tensor of `type` whose element at each index is the input's at `source(index)`, or `pad`
/// where that is no index of the input.
template <typename Source>
static HostTensor move(const HostTensor &in, RankedTensorType type, Source source,
                       TypedAttr pad = {}) {
  HostTensor out{type, {}, {}};
  ArrayRef<int64_t> shape = in.type.getShape();
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    SmallVector<int64_t> from = source(index);
    int64_t linear = 0;
    bool inside = true;
    for (auto [position, size] : llvm::zip_equal(from, shape)) {
      inside &= position >= 0 && position < size;
      linear = linear * size + position;
    }
    if (isa<FloatType>(type.getElementType()))
      out.floats.push_back(inside ? in.floats[linear] : cast<FloatAttr>(pad).getValue());
    else
      out.ints.push_back(inside ? in.ints[linear] : cast<IntegerAttr>(pad).getValue());
  });
  return out;
}

static HostTensor reduce(ReduceOp op, const HostTensor &in) {
  RankedTensorType type = op.getResult().getType();
  Type elementType = type.getElementType();
  bool isFloat = isa<FloatType>(elementType);
  // f16 and bf16 round once, at the end.
  Type accumulator = elementType;
  if (isFloat && elementType.getIntOrFloatBitWidth() == 16)
    accumulator = Float32Type::get(op.getContext());
  HostTensor terms = castTensor(in, withElement(in.type, accumulator));
  HostTensor out{withElement(type, accumulator), {}, {}};
  TypedAttr identity = reduceIdentity(op.getKind(), accumulator);
  if (isFloat)
    out.floats.assign(type.getNumElements(), cast<FloatAttr>(identity).getValue());
  else
    out.ints.assign(type.getNumElements(), cast<IntegerAttr>(identity).getValue());
  size_t from = 0;
  bool isBool = elementType.isInteger(1);
  forEachIndex(in.type.getShape(), [&](ArrayRef<int64_t> index) {
    int64_t linear = 0;
    for (auto [dim, position] : llvm::enumerate(index))
      if (!llvm::is_contained(op.getDims(), static_cast<int64_t>(dim)))
        linear = linear * in.type.getDimSize(dim) + position;
    size_t at = from++;
    switch (op.getKind()) {
    case ReduceKind::add:
      if (isFloat)
        out.floats[linear] = out.floats[linear] + terms.floats[at];
      else
        out.ints[linear] += terms.ints[at];
      break;
    case ReduceKind::mul:
      if (isFloat)
        out.floats[linear] = out.floats[linear] * terms.floats[at];
      else
        out.ints[linear] *= terms.ints[at];
      break;
    case ReduceKind::max:
      if (isFloat)
        out.floats[linear] = llvm::maximum(out.floats[linear], terms.floats[at]);
      else if (isBool)
        out.ints[linear] |= terms.ints[at];
      else
        out.ints[linear] = maximum(out.ints[linear], terms.ints[at], elementType);
      break;
    }
  });
  return castTensor(out, type);
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

std::optional<HostTensor> HostFolder::evaluate(Value value) {
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!op || !type || type.getNumElements() > kMaxElements)
    return std::nullopt;
  if (auto constantOp = dyn_cast<ConstantOp>(op))
    return constant(constantOp.getValue());
  SmallVector<const HostTensor *> in;
  for (Value operand : op->getOperands()) {
    in.push_back(fold(operand));
    if (!in.back())
      return std::nullopt;
  }
  using Result = std::optional<HostTensor>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](Exp2Op) { return map(*in[0], std::exp2); })
      .Case([&](Log2Op) { return map(*in[0], std::log2); })
      .Case([&](SinOp) { return map(*in[0], std::sin); })
      .Case([&](SqrtOp) { return map(*in[0], std::sqrt); })
      .Case([&](CastOp) { return castTensor(*in[0], type); })
      .Case([&](AddOp) {
        return zip(
            *in[0], *in[1], [](const APInt &a, const APInt &b, Type) { return a + b; },
            [](const APFloat &a, const APFloat &b) { return a + b; });
      })
      .Case([&](MulOp) {
        return zip(
            *in[0], *in[1], [](const APInt &a, const APInt &b, Type) { return a * b; },
            [](const APFloat &a, const APFloat &b) { return a * b; });
      })
      .Case([&](DivOp) {
        return zip(*in[0], *in[1], divide,
                   [](const APFloat &a, const APFloat &b) { return a / b; });
      })
      .Case([&](MaxOp) {
        return zip(*in[0], *in[1], maximum,
                   [](const APFloat &a, const APFloat &b) { return llvm::maximum(a, b); });
      })
      .Case([&](CmpOp cmp) {
        HostTensor out{type, {}, {}};
        Type operand = in[0]->type.getElementType();
        for (auto [a, b] : llvm::zip_equal(in[0]->ints, in[1]->ints))
          out.ints.push_back(APInt(1, compare(cmp.getPredicate(), a, b, operand)));
        for (auto [a, b] : llvm::zip_equal(in[0]->floats, in[1]->floats))
          out.ints.push_back(APInt(1, compare(cmp.getPredicate(), a, b, operand)));
        return out;
      })
      .Case([&](WhereOp) {
        HostTensor out{type, {}, {}};
        for (size_t i = 0, e = in[0]->ints.size(); i != e; ++i) {
          const HostTensor *chosen = in[in[0]->ints[i].isZero() ? 2 : 1];
          if (isa<FloatType>(type.getElementType()))
            out.floats.push_back(chosen->floats[i]);
          else
            out.ints.push_back(chosen->ints[i]);
        }
        return out;
      })
      .Case([&](ReduceOp reduceOp) { return reduce(reduceOp, *in[0]); })
      .Case([&](ReshapeOp) {
        HostTensor out = *in[0];
        out.type = type;
        return out;
      })
      .Case([&](PermuteOp permute) {
        return move(*in[0], type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> from(index.size());
          for (auto [dim, source] : llvm::enumerate(permute.getPermutation()))
            from[source] = index[dim];
          return from;
        });
      })
      .Case([&](ExpandOp) {
        return move(*in[0], type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> from(index);
          for (auto [position, size] : llvm::zip_equal(from, in[0]->type.getShape()))
            position = size == 1 ? 0 : position;
          return from;
        });
      })
      .Case([&](PadOp pad) {
        return move(
            *in[0], type,
            [&](ArrayRef<int64_t> index) {
              SmallVector<int64_t> from(index);
              for (auto [position, low] : llvm::zip_equal(from, pad.getLow()))
                position -= low;
              return from;
            },
            cast<TypedAttr>(pad.getValue()));
      })
      .Case([&](ShrinkOp shrink) {
        return move(*in[0], type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> from(index);
          for (auto [position, offset] : llvm::zip_equal(from, shrink.getOffsets()))
            position += offset;
          return from;
        });
      })
      .Case([&](StrideOp stride) {
        return move(*in[0], type, [&](ArrayRef<int64_t> index) {
          SmallVector<int64_t> from(index);
          for (auto [position, step, size] :
               llvm::zip_equal(from, stride.getSteps(), in[0]->type.getShape()))
            position = (step < 0 ? size - 1 : 0) + position * step;
          return from;
        });
      })
      .Case([&](IotaOp iota) {
        HostTensor index{withElement(type, IntegerType::get(op->getContext(), 64)), {}, {}};
        forEachIndex(type.getShape(), [&](ArrayRef<int64_t> at) {
          index.ints.push_back(APInt(64, at[iota.getDim()]));
        });
        return castTensor(index, type);
      })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

const HostTensor *HostFolder::fold(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second.get();
  std::optional<HostTensor> result = evaluate(value);
  auto &slot = known[value];
  slot = result ? std::make_unique<HostTensor>(std::move(*result)) : nullptr;
  return slot.get();
}
