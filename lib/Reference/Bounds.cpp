//===- Bounds.cpp - interval arithmetic on elements -----------------------===//
//
// NaN is certain (both ends are NaN) or impossible; where it is possible but not
// certain, the element is undecided. An undecided operand decides nothing, except
// that NaN wins over it.
//
//===----------------------------------------------------------------------===//

#include "Bounds.h"

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace mlir::tiny;
using namespace mlir::tiny::reference;

// The functions of f64 are computed in long double, so as to know their error.
static_assert(LDBL_MANT_DIG >= 64, "the reference needs a long double wider than double");

static const double infinity = std::numeric_limits<double>::infinity();
static const Bound certainNaN = exactly(std::numeric_limits<double>::quiet_NaN());

bool tiny::reference::isNaN(const Bound &bound) { return !bound.undecided && std::isnan(bound.lo); }
bool tiny::reference::isPoint(const Bound &bound) {
  return !bound.undecided &&
         sameElement(ElementType::f64, fromFloat(bound.lo), fromFloat(bound.hi));
}

static bool hasZero(const Bound &a) { return a.lo <= 0 && a.hi >= 0; }
static bool hasInfinity(const Bound &a) { return std::isinf(a.lo) || std::isinf(a.hi); }

/// Extends `result` by one more corner.
static void include(Bound &result, double corner) {
  if (totalLess(corner, result.lo))
    result.lo = corner;
  if (totalLess(result.hi, corner))
    result.hi = corner;
}

/// NaN or undecided operands of a binary op that propagates NaN.
static bool propagates(const Bound &a, const Bound &b, Bound &result) {
  if (isNaN(a) || isNaN(b))
    result = certainNaN;
  else if (a.undecided || b.undecided)
    result = undecided();
  else
    return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

// What a factor does to a sum when it moves into its terms: each is rounded a few times more (the
// constant, once per factor, and the product), which the factor may also bring near the ends of
// the type's range. A target keeps to factors from 2^-80 to 2^40.
static constexpr int kScaledRoundings = 8, kScaledDown = 80, kScaledUp = 40;

/// The largest relative error of `roundings` roundings, one after the other.
static long double growth(int64_t roundings, const Format &format) {
  return roundings <= 0 ? 0 : std::expm1(roundings * std::log1p((long double)format.unit()));
}

Bound tiny::reference::addBound(ElementType type, const Bound &a, const Bound &b, bool isScaled) {
  Bound result;
  if (propagates(a, b, result))
    return result;
  if (isScaled && !hasInfinity(a) && !hasInfinity(b)) {
    Format format = formatOf(type);
    double magnitude = std::fmax(std::fmax(std::fabs(a.lo), std::fabs(a.hi)),
                                 std::fmax(std::fabs(b.lo), std::fabs(b.hi)));
    if (magnitude > std::ldexp(format.largest(), -kScaledUp))
      return undecided();
    double slack = magnitude * static_cast<double>(growth(kScaledRoundings, format)) +
                   std::ldexp(format.smallest(), kScaledDown);
    return {roundTo(type, a.lo + b.lo - slack), roundTo(type, a.hi + b.hi + slack), false};
  }
  if (isPoint(a) && isPoint(b))
    return exactly(roundTo(type, a.lo + b.lo));
  if ((a.hi == infinity && b.lo == -infinity) || (a.lo == -infinity && b.hi == infinity))
    return undecided();
  return {roundTo(type, a.lo + b.lo), roundTo(type, a.hi + b.hi), false};
}

/// The product of two corners as an interval: a point, or from the rounded to the exact product.
static Bound corner(ElementType type, double a, double b, bool contracted) {
  double wide = a * b;
  Bound result = exactly(roundTo(type, wide));
  if (!contracted || std::isnan(wide) || std::isinf(a) || std::isinf(b))
    return result;
  // The exact product is `wide` when it is finite and the remainder is 0; otherwise it lies between
  // the neighbours of `wide`. (A remainder below the subnormals looks like 0: hence the test.)
  bool isExact = std::isfinite(wide) && std::fma(a, b, -wide) == 0 &&
                 (std::fabs(wide) > DBL_MIN / DBL_EPSILON || wide == 0) &&
                 (wide != 0 || a == 0 || b == 0);
  include(result, isExact ? wide : std::nextafter(wide, -infinity));
  include(result, isExact ? wide : std::nextafter(wide, infinity));
  return result;
}

Bound tiny::reference::mulBound(ElementType type, const Bound &a, const Bound &b, bool contracted) {
  Bound result;
  if (propagates(a, b, result))
    return result;
  result = corner(type, a.lo, b.lo, contracted);
  if (isPoint(a) && isPoint(b))
    return result;
  if ((hasZero(a) && hasInfinity(b)) || (hasInfinity(a) && hasZero(b)))
    return undecided();
  for (auto [x, y] : {std::pair(a.lo, b.hi), std::pair(a.hi, b.lo), std::pair(a.hi, b.hi)}) {
    Bound other = corner(type, x, y, contracted);
    include(result, other.lo);
    include(result, other.hi);
  }
  return result;
}

Bound tiny::reference::divBound(ElementType type, const Bound &a, const Bound &b) {
  Bound result;
  if (propagates(a, b, result))
    return result;
  result = exactly(roundTo(type, a.lo / b.lo));
  if (isPoint(a) && isPoint(b))
    return result;
  bool signOfDivisorIsKnown = std::signbit(b.lo) == std::signbit(b.hi);
  if (!signOfDivisorIsKnown || (hasZero(a) && hasZero(b)) || (hasInfinity(a) && hasInfinity(b)))
    return undecided();
  for (auto [x, y] : {std::pair(a.lo, b.hi), std::pair(a.hi, b.lo), std::pair(a.hi, b.hi)})
    include(result, roundTo(type, x / y));
  return result;
}

Bound tiny::reference::maxBound(const Bound &a, const Bound &b) {
  Bound result;
  if (propagates(a, b, result))
    return result;
  return {maximum(a.lo, b.lo), maximum(a.hi, b.hi), false};
}

Bound tiny::reference::sqrtBound(ElementType type, const Bound &a) {
  if (a.undecided || isNaN(a) || a.lo >= 0) // -0 >= 0
    return {roundTo(type, std::sqrt(a.lo)), roundTo(type, std::sqrt(a.hi)), a.undecided};
  return a.hi < 0 ? certainNaN : undecided();
}

//===----------------------------------------------------------------------===//
// Functions with a permitted error
//===----------------------------------------------------------------------===//

/// `exact` give or take the permitted error, in ULPs of the type that `type` is computed in.
static Bound widened(ElementType type, long double exact) {
  if (std::isnan(exact) || std::isinf(exact))
    return exactly(static_cast<double>(exact));
  ElementType compute = computeTypeOf(type);
  Format format = formatOf(compute);
  long double ulps = compute == ElementType::f64 ? 4 : 2;
  ulps += 0.001L; // the error of `exact` itself
  int exponent = exact == 0 ? format.minExponent : std::max(std::ilogb(exact), format.minExponent);
  exponent = std::min(exponent, format.maxExponent);
  long double slack = ulps * std::ldexp(1.0L, exponent - format.precision + 1);
  Bound result{static_cast<double>(exact - slack), static_cast<double>(exact + slack), false};
  if (compute == ElementType::f64) { // the conversion may have moved an end inwards
    result.lo = std::nextafter(result.lo, -infinity);
    result.hi = std::nextafter(result.hi, infinity);
  }
  return {roundTo(type, result.lo), roundTo(type, result.hi), false};
}

Bound tiny::reference::exp2Bound(ElementType type, const Bound &a) {
  if (a.undecided || isNaN(a))
    return a;
  double lo = a.lo == -infinity ? 0.0 : widened(type, std::exp2(static_cast<long double>(a.lo))).lo;
  double hi = a.hi == -infinity ? 0.0 : widened(type, std::exp2(static_cast<long double>(a.hi))).hi;
  return {lo > 0 ? lo : 0.0, hi, false};
}

Bound tiny::reference::log2Bound(ElementType type, const Bound &a) {
  if (a.undecided || isNaN(a))
    return a;
  if (a.hi < 0)
    return certainNaN;
  if (a.lo < 0)
    return undecided();
  return {widened(type, std::log2(static_cast<long double>(a.lo))).lo,
          widened(type, std::log2(static_cast<long double>(a.hi))).hi, false};
}

Bound tiny::reference::sinBound(ElementType type, const Bound &a) {
  if (a.undecided || isNaN(a))
    return a;
  if (hasInfinity(a))
    return isPoint(a) ? certainNaN : undecided();
  // The slope is at most 1, so the sine stays as near to the sine of the middle as its argument.
  long double middle = a.lo / 2.0L + a.hi / 2.0L;
  long double radius = (a.hi / 2.0L - a.lo / 2.0L) * (1 + 2 * LDBL_EPSILON);
  long double sine = std::sin(middle);
  if (radius > 0)
    radius += std::fabs(middle) * LDBL_EPSILON;
  double lo = widened(type, std::max(sine - radius, -1.0L)).lo;
  double hi = widened(type, std::min(sine + radius, 1.0L)).hi;
  return {lo, hi, false};
}

//===----------------------------------------------------------------------===//
// Comparisons, casts, choices
//===----------------------------------------------------------------------===//

Bound tiny::reference::cmpBound(CmpPredicate predicate, const Bound &a, const Bound &b) {
  if (isNaN(a) || isNaN(b))
    return {};
  if (a.undecided || b.undecided)
    return undecided();
  bool isDecided = false;
  switch (predicate) {
  case CmpPredicate::lt:
    isDecided = a.hi < b.lo || a.lo >= b.hi;
    break;
  case CmpPredicate::le:
    isDecided = a.hi <= b.lo || a.lo > b.hi;
    break;
  case CmpPredicate::eq:
  case CmpPredicate::ne:
    isDecided = a.hi < b.lo || b.hi < a.lo || (a.lo == a.hi && b.lo == b.hi);
    break;
  }
  return isDecided ? Bound{} : undecided();
}

Bound tiny::reference::castBound(ElementType from, ElementType to, const Bound &a) {
  if (a.undecided)
    return a;
  if (isFloat(to))
    return {roundTo(to, a.lo), roundTo(to, a.hi), false};
  Word lo = convert(from, to, fromFloat(a.lo)), hi = convert(from, to, fromFloat(a.hi));
  bool skipsZero = to == ElementType::i1 && a.lo < 0 && a.hi > 0; // true, false, true
  return lo.u == hi.u && !skipsZero ? Bound{} : undecided();
}

Bound tiny::reference::eitherBound(const Bound &a, const Bound &b) {
  if (a.undecided || b.undecided || isNaN(a) != isNaN(b))
    return undecided();
  Bound result = a;
  if (!isNaN(a)) {
    include(result, b.lo);
    include(result, b.hi);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

ReduceBound::ReduceBound(ReduceKind kind, ElementType type, bool isScaled)
    : kind(kind), type(type), format(formatOf(computeTypeOf(type))), isScaled(isScaled),
      lo(-infinity), hi(-infinity), lowestBit(std::numeric_limits<int>::max()) {}

/// The power of two of the lowest set bit of a finite number other than 0.
static int lowestBitOf(double value) {
  int exponent;
  auto significand = static_cast<int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  return exponent - 53 + __builtin_ctzll(static_cast<uint64_t>(significand));
}

void ReduceBound::add(const Bound &element) {
  ++count;
  sawNaN |= isNaN(element);
  sawUndecided |= element.undecided;
  if (element.undecided || isNaN(element))
    return;
  double low = element.lo, high = element.hi;
  switch (kind) {
  case ReduceKind::max:
    lo = maximum(lo, low);
    hi = maximum(hi, high);
    return;
  case ReduceKind::add: {
    maybePlus |= high == infinity;
    maybeMinus |= low == -infinity;
    surelyPlus |= low == infinity;
    surelyMinus |= high == -infinity;
    if (std::isfinite(low)) {
      lowSum += low;
      negative += std::fmax(-low, 0.0);
    }
    if (std::isfinite(high)) {
      highSum += high;
      positive += std::fmax(high, 0.0);
    }
    bool isFiniteLow = std::isfinite(low), isSingle = isPoint(element);
    allPoints &= isSingle && isFiniteLow;
    maybeAllMinusZero &= std::signbit(low);
    if (low != 0 || high != 0)
      ++nonZeros;
    if (isSingle && isFiniteLow && low != 0)
      lowestBit = std::min(lowestBit, lowestBitOf(low));
    return;
  }
  case ReduceKind::mul: {
    double smallest = hasZero(element) ? 0 : std::fmin(std::fabs(low), std::fabs(high));
    double largest = std::fmax(std::fabs(low), std::fabs(high));
    maybeZero |= smallest == 0;
    surelyZero |= largest == 0;
    maybeInfinite |= std::isinf(largest);
    surelyInfinite |= std::isinf(smallest);
    signIsKnown &= std::signbit(low) == std::signbit(high);
    isNegative ^= std::signbit(low);
    lowMagnitude *= smallest;
    highMagnitude *= largest;
    // A target may multiply the elements above 1 first, or those below.
    if (largest > 1)
      mostlyUp += std::log2(largest);
    if (smallest > 0 && smallest < 1)
      mostlyDown += std::log2(smallest);
    int exponent;
    if (!isPoint(element) || std::fabs(std::frexp(low, &exponent)) != 0.5)
      ++inexact;
    return;
  }
  }
}

Bound ReduceBound::result() const {
  if (sawNaN)
    return certainNaN;
  if (sawUndecided)
    return undecided();
  switch (kind) {
  case ReduceKind::max:
    return {lo, hi, false};
  case ReduceKind::add:
    return sum();
  case ReduceKind::mul:
    return product();
  }
  return undecided();
}

/// Doubles around an interval of long doubles, rounded to the result type.
static Bound outward(ElementType type, long double lo, long double hi) {
  Bound result{static_cast<double>(lo), static_cast<double>(hi), false};
  if (result.lo > lo)
    result.lo = std::nextafter(result.lo, -infinity);
  if (result.hi < hi)
    result.hi = std::nextafter(result.hi, infinity);
  return {roundTo(type, result.lo), roundTo(type, result.hi), false};
}

Bound ReduceBound::sum() const {
  long double magnitude = positive + negative;
  Bound minusZero{-0.0, 0.0, false};
  if (isScaled && magnitude > std::ldexp((long double)format.largest(), -kScaledUp))
    return undecided();
  if (magnitude == 0 && !maybePlus && !maybeMinus && !isScaled)
    return count && maybeAllMinusZero ? minusZero : exactly(0.0);
  if (surelyPlus && surelyMinus)
    return certainNaN;
  // Every partial sum is a multiple of the lowest bit; where the accumulator holds all of those up
  // to the sum of the magnitudes, no order of additions rounds.
  bool isExact = !isScaled && allPoints &&
                 (nonZeros <= 1 || magnitude <= std::ldexp(1.0L, lowestBit + format.precision));
  long double error = 0;
  if (!isExact)
    // Each partial sum is at most the sum of magnitudes; adding a zero does not round. The last
    // term is the error of the sums held here.
    error = magnitude * (growth(nonZeros - 1, format) + count * (long double)LDBL_EPSILON);
  if (isScaled)
    error += magnitude * growth(kScaledRoundings, format) +
             count * std::ldexp((long double)format.smallest(), kScaledDown);
  bool mayOverflowUp = maybePlus || positive + error > format.largest();
  bool mayOverflowDown = maybeMinus || negative + error > format.largest();
  if (mayOverflowUp && mayOverflowDown)
    return undecided();
  if (surelyPlus || surelyMinus)
    return exactly(surelyPlus ? infinity : -infinity);
  Bound result = outward(type, lowSum - error, highSum + error);
  if (mayOverflowDown)
    result.lo = -infinity;
  if (mayOverflowUp)
    result.hi = infinity;
  if (mayOverflowUp && result.lo > 0) // a single order need not overflow
    result.lo = std::fmin(result.lo, formatOf(type).largest());
  if (mayOverflowDown && result.hi < 0)
    result.hi = std::fmax(result.hi, -formatOf(type).largest());
  return result;
}

Bound ReduceBound::product() const {
  if (count == 0)
    return exactly(1.0);
  if (surelyZero && surelyInfinite)
    return certainNaN;
  bool mayOverflow = mostlyUp > format.maxExponent + 0.999;
  bool mayUnderflow = mostlyDown < format.minExponent + 0.001;
  bool isExactOrder = count == 1;
  if (!isExactOrder && (maybeInfinite || mayOverflow) && (maybeZero || mayUnderflow))
    return undecided();
  double lowEnd, highEnd; // of the magnitude
  if (surelyInfinite) {
    lowEnd = highEnd = infinity;
  } else if (surelyZero) {
    lowEnd = highEnd = 0;
  } else if (isExactOrder) {
    lowEnd = static_cast<double>(lowMagnitude);
    highEnd = static_cast<double>(highMagnitude);
  } else {
    // A power of two only scales. The last factor is the error of the products held here.
    long double error =
        growth(std::min(inexact, count - 1), format) + count * (long double)LDBL_EPSILON;
    if (inexact <= 1 && !mayUnderflow && !mayOverflow)
      error = 0;
    long double lost = 0; // by partial products that are subnormal
    if (mayUnderflow)
      lost = count * (long double)format.smallest() * std::exp2((long double)mostlyUp + 1);
    Bound ends = outward(computeTypeOf(type), std::fmax(lowMagnitude * (1 - error) - lost, 0.0L),
                         highMagnitude * (1 + error) + lost);
    lowEnd = roundTo(type, mayOverflow ? std::fmin(ends.lo, format.largest()) : ends.lo);
    highEnd = roundTo(type, mayOverflow || maybeInfinite ? infinity : ends.hi);
  }
  if (!signIsKnown)
    return {-highEnd, highEnd, false};
  return isNegative ? Bound{-highEnd, -lowEnd, false} : Bound{lowEnd, highEnd, false};
}
