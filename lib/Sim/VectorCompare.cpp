//===- VectorCompare.cpp - comparisons and number classes ----------------------===//
//
// V_CMP and V_CMPX: predicates times types. A kernel gives 0 or all ones per lane; whether the mask
// goes to VCC, to a scalar register or to EXEC is in the destination operand.
//
//===----------------------------------------------------------------------===//

#include "VectorKernel.h"

using namespace tinysim;
using u32 = uint32_t;
using u64 = uint64_t;

LANE u32 all(bool x) { return x ? ~0u : 0u; }

// How the bits of an operand are read for comparison.
LANE float number(u32 x, float) { return asFloat(x); }
LANE double number(u64 x, double) { return asDouble(x); }
namespace {
struct Half {};
} // namespace
LANE float number(u32 x, Half) { return widen(x); }
LANE int32_t number(u32 x, int32_t) { return static_cast<int32_t>(x); }
LANE u32 number(u32 x, u32) { return x; }
LANE int32_t number(u32 x, int16_t) { return static_cast<int16_t>(x); }
LANE u32 number(u32 x, uint16_t) { return x; }
LANE int64_t number(u64 x, int64_t) { return static_cast<int64_t>(x); }
LANE u64 number(u64 x, u64) { return x; }

template <class T> using Carrier = std::conditional_t<sizeof(T) == 8, u64, u32>;
namespace {
/// The predicates, negated ones true where either side is a NaN.
enum Predicate { F, LT, EQ, LE, GT, LG, GE, O, U, NGE, NLG, NGT, NLE, NEQ, NLT, T, NE };
} // namespace
template <class Number, Predicate p> LANE u32 compare(Carrier<Number> x, Carrier<Number> y) {
  auto a = number(x, Number()), b = number(y, Number());
  switch (p) {
  case F:
    return 0;
  case T:
    return ~0u;
  case LT:
    return all(a < b);
  case EQ:
    return all(a == b);
  case LE:
    return all(a <= b);
  case GT:
    return all(a > b);
  case LG:
    return all(a < b || a > b);
  case GE:
    return all(a >= b);
  case O:
    return all(a == a && b == b);
  case U:
    return all(a != a || b != b);
  case NGE:
    return all(!(a >= b));
  case NLG:
    return all(!(a < b || a > b));
  case NGT:
    return all(!(a > b));
  case NLE:
    return all(!(a <= b));
  case NEQ:
  case NE:
    return all(a != b);
  case NLT:
    return all(!(a < b));
  }
}

/// The ten classes of a number against a mask of them.
template <class Fmt> static u32 classOf(Bits x, u32 mask) {
  bool negative = isNegative<Fmt>(x);
  unsigned bit;
  if (isNaN<Fmt>(x))
    bit = isSignalling<Fmt>(x) ? 0 : 1;
  else if (isInfinite<Fmt>(x))
    bit = negative ? 2 : 9;
  else if (isZero<Fmt>(x))
    bit = negative ? 5 : 6;
  else if (isDenormal<Fmt>(x))
    bit = negative ? 4 : 7;
  else
    bit = negative ? 3 : 8;
  return all(mask >> bit & 1);
}
static u32 class16(u32 x, u32 mask) { return classOf<F16>(x, mask); }
static u32 class32(u32 x, u32 mask) { return classOf<F32>(x, mask); }
static u32 class64(u64 x, u32 mask) { return classOf<F64>(x, mask); }

template <class Number, Predicate p>
static void add(std::vector<Row> &rows, const char *predicate, const char *type, Type operand,
                uint8_t flags) {
  for (const char *prefix : {"V_CMP_", "V_CMPX_"})
    rows.push_back({std::string(prefix) + predicate + "_" + type,
                    each<compare<Number, p>>(),
                    Type::b32,
                    {operand, operand, Type::none},
                    flags});
}
template <class Number>
static void addFloat(std::vector<Row> &rows, const char *type, Type operand) {
  const uint8_t flags = Row::compare;
  add<Number, F>(rows, "F", type, operand, flags);
  add<Number, LT>(rows, "LT", type, operand, flags);
  add<Number, EQ>(rows, "EQ", type, operand, flags);
  add<Number, LE>(rows, "LE", type, operand, flags);
  add<Number, GT>(rows, "GT", type, operand, flags);
  add<Number, LG>(rows, "LG", type, operand, flags);
  add<Number, GE>(rows, "GE", type, operand, flags);
  add<Number, O>(rows, "O", type, operand, flags);
  add<Number, U>(rows, "U", type, operand, flags);
  add<Number, NGE>(rows, "NGE", type, operand, flags);
  add<Number, NLG>(rows, "NLG", type, operand, flags);
  add<Number, NGT>(rows, "NGT", type, operand, flags);
  add<Number, NLE>(rows, "NLE", type, operand, flags);
  add<Number, NEQ>(rows, "NEQ", type, operand, flags);
  add<Number, NLT>(rows, "NLT", type, operand, flags);
  add<Number, T>(rows, "T", type, operand, flags);
}
template <class Number>
static void addInteger(std::vector<Row> &rows, const char *type, Type operand) {
  const uint8_t flags = Row::compare | Row::keepsBits;
  add<Number, F>(rows, "F", type, operand, flags);
  add<Number, LT>(rows, "LT", type, operand, flags);
  add<Number, EQ>(rows, "EQ", type, operand, flags);
  add<Number, LE>(rows, "LE", type, operand, flags);
  add<Number, GT>(rows, "GT", type, operand, flags);
  add<Number, NE>(rows, "NE", type, operand, flags);
  add<Number, GE>(rows, "GE", type, operand, flags);
  add<Number, T>(rows, "T", type, operand, flags);
}

llvm::ArrayRef<Row> tinysim::comparisonRows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> r;
    addFloat<Half>(r, "F16", Type::f16);
    addFloat<float>(r, "F32", Type::f32);
    addFloat<double>(r, "F64", Type::f64);
    addInteger<int16_t>(r, "I16", Type::b16);
    addInteger<uint16_t>(r, "U16", Type::b16);
    addInteger<int32_t>(r, "I32", Type::b32);
    addInteger<uint32_t>(r, "U32", Type::b32);
    addInteger<int64_t>(r, "I64", Type::b64);
    addInteger<uint64_t>(r, "U64", Type::b64);
    // A denormal is one whatever the mode.
    const uint8_t flags = Row::compare | Row::keepsBits;
    for (std::string prefix : {"V_CMP_CLASS_", "V_CMPX_CLASS_"}) {
      r.push_back({prefix + "F16", each<class16>(), Type::b32, {Type::f16, Type::b16}, flags});
      r.push_back({prefix + "F32", each<class32>(), Type::b32, {Type::f32, Type::b32}, flags});
      r.push_back({prefix + "F64", each<class64>(), Type::b32, {Type::f64, Type::b32}, flags});
    }
    return r;
  }();
  return rows;
}
