//===- Compare.cpp - is this tensor the expected one? ---------------------===//
//
// Differences are taken in double, but those of integers exactly: two large i64
// that differ by one are not the same number.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Runtime/Compare.h"
#include "Tiny/Runtime/Element.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

using namespace tinyrt;

static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

/// "[1, 0, 3]": where element `index` of a row-major tensor is.
static std::string position(const TensorType &type, int64_t index) {
  std::string text;
  for (size_t d = type.shape.size(); d-- > 0;) {
    text = std::to_string(index % type.shape[d]) + (text.empty() ? "" : ", ") + text;
    index /= type.shape[d];
  }
  return "[" + text + "]";
}

/// |a - b|; 0 for equal infinities and for two NaNs, NaN where they can have no distance.
static double distance(const Tensor &actual, const Tensor &expected, int64_t i) {
  ElementType type = actual.type().element;
  if (!isFloat(type)) {
    uint64_t a = elementAsBits(actual, i), b = elementAsBits(expected, i);
    bool less = isSigned(type) ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
    return static_cast<double>(less ? b - a : a - b);
  }
  double a = elementAsDouble(actual, i), b = elementAsDouble(expected, i);
  if (a == b || (std::isnan(a) && std::isnan(b)))
    return 0;
  if (!std::isfinite(a) || !std::isfinite(b))
    return std::numeric_limits<double>::quiet_NaN();
  return std::fabs(a - b);
}

static bool sameTypes(const Tensor &actual, const Tensor &expected, Comparison &result) {
  result.count = expected.numElements();
  if (actual.type() == expected.type())
    return true;
  result.failures = result.count;
  result.message = "has type " + actual.type().str() + ", expected " + expected.type().str();
  return false;
}

/// Fills in `message` from the counts.
static void describe(const Tensor &actual, const Tensor &expected, Comparison &result) {
  result.passed = result.failures == 0;
  std::string differences = "largest difference " + number(result.maxDifference) + " (" +
                            number(result.maxRelative) + " of the largest expected magnitude)";
  if (result.passed) {
    result.message = std::to_string(result.count) +
                     (result.count == 1 ? " element, " : " elements, ") + differences;
    return;
  }
  result.message = std::to_string(result.failures) + " of " + std::to_string(result.count) +
                   (result.count == 1 ? " element" : " elements") +
                   (result.failures == 1 ? " differs" : " differ") + "; worst at " +
                   position(expected.type(), result.worst) + ": got " +
                   elementText(actual, result.worst) + ", expected " +
                   elementText(expected, result.worst) + "; " + differences;
}

Comparison tinyrt::compare(const Tensor &actual, const Tensor &expected,
                           const Tolerance &tolerance) {
  Comparison result;
  if (!sameTypes(actual, expected, result))
    return result;
  double largest = 0;
  for (int64_t i = 0; i < result.count; ++i) {
    double magnitude = std::fabs(elementAsDouble(expected, i));
    if (std::isfinite(magnitude))
      largest = std::max(largest, magnitude);
  }
  double worst = -1; // how far beyond the tolerance
  for (int64_t i = 0; i < result.count; ++i) {
    double difference = distance(actual, expected, i);
    double allowed = std::numeric_limits<double>::infinity();
    if (tolerance.rtol >= 0 || tolerance.atol >= 0) {
      double magnitude = std::fabs(elementAsDouble(expected, i));
      // 0 * infinity is NaN, and an infinity that is equal has the distance 0 anyway.
      allowed = std::max(tolerance.atol, 0.0) +
                (std::isfinite(magnitude) ? std::max(tolerance.rtol, 0.0) * magnitude : 0.0);
    }
    if (tolerance.maxTol >= 0)
      allowed = std::min(allowed, tolerance.maxTol * largest);
    if (!std::isnan(difference))
      result.maxDifference = std::max(result.maxDifference, difference);
    if (difference <= allowed) // false for NaN
      continue;
    double beyond =
        std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference - allowed;
    if (result.failures++ == 0)
      result.first = i;
    if (beyond > worst) {
      worst = beyond;
      result.worst = i;
    }
  }
  if (result.maxDifference != 0)
    result.maxRelative = result.maxDifference / largest;
  describe(actual, expected, result);
  return result;
}

Comparison tinyrt::compareBits(const Tensor &actual, const Tensor &expected) {
  Comparison result;
  if (!sameTypes(actual, expected, result))
    return result;
  bool isFloatType = isFloat(expected.type().element);
  double largest = 0, worst = -1;
  for (int64_t i = 0; i < result.count; ++i) {
    double magnitude = std::fabs(elementAsDouble(expected, i));
    if (std::isfinite(magnitude))
      largest = std::max(largest, magnitude);
    if (elementAsBits(actual, i) == elementAsBits(expected, i) ||
        (isFloatType && std::isnan(elementAsDouble(actual, i)) && std::isnan(magnitude)))
      continue;
    double difference = distance(actual, expected, i); // 0 for zeros of different sign
    if (!std::isnan(difference))
      result.maxDifference = std::max(result.maxDifference, difference);
    if (result.failures++ == 0)
      result.first = i;
    if (std::isnan(difference))
      difference = std::numeric_limits<double>::infinity();
    if (difference > worst) {
      worst = difference;
      result.worst = i;
    }
  }
  if (result.maxDifference != 0)
    result.maxRelative = result.maxDifference / largest;
  describe(actual, expected, result);
  return result;
}
