//===- RandomElements.cpp - elements and inputs, special ones among them --===//

#include "RandomElements.h"

#include "Generate.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace tinyfuzz;

Flavour tinyfuzz::randomFlavour(Random &random) {
  int64_t roll = random.below(100);
  return roll < 60   ? Flavour::tame
         : roll < 80 ? Flavour::smallIntegers
         : roll < 92 ? Flavour::wide
                     : Flavour::special;
}

static APFloat randomFloat(Random &random, const llvm::fltSemantics &semantics, Flavour flavour) {
  double value = 0;
  switch (flavour) {
  case Flavour::tame:
    value = random.fraction() * 8 - 4;
    break;
  case Flavour::smallIntegers:
    value = static_cast<double>(random.between(-5, 5));
    break;
  case Flavour::wide:
    value = std::ldexp(random.fraction() * 2 - 1, random.between(-30, 30));
    break;
  case Flavour::special: {
    bool negative = random.chance(50);
    switch (random.below(8)) {
    case 0:
      return APFloat::getNaN(semantics);
    case 1:
      return APFloat::getInf(semantics, negative);
    case 2:
      return APFloat::getZero(semantics, negative);
    case 3:
      return APFloat::getSmallest(semantics, negative);
    case 4:
      return APFloat::getSmallestNormalized(semantics, negative);
    case 5:
      return APFloat::getLargest(semantics, negative);
    case 6: // any bits
      return APFloat(semantics, APInt(APFloat::getSizeInBits(semantics), random.next(),
                                      /*isSigned=*/false, /*implicitTrunc=*/true));
    default:
      value = random.fraction() * 8 - 4;
    }
  }
  }
  APFloat result(value);
  bool losesInfo;
  result.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return result;
}

static APInt randomInteger(Random &random, IntegerType type, Flavour flavour) {
  unsigned width = type.getWidth();
  uint64_t value = 0;
  switch (flavour) {
  case Flavour::tame:
    value = random.between(type.isUnsigned() ? 0 : -100, 100);
    break;
  case Flavour::smallIntegers:
    value = random.between(type.isUnsigned() ? 0 : -5, 5);
    break;
  case Flavour::wide:
    value = random.next();
    break;
  case Flavour::special: {
    uint64_t specials[] = {0, 1, ~uint64_t(0), uint64_t(1) << (width - 1),
                           (uint64_t(1) << (width - 1)) - 1};
    value = specials[random.below(5)];
  }
  }
  if (width == 1)
    value = random.below(2);
  return APInt(width, value, /*isSigned=*/false, /*implicitTrunc=*/true);
}

TypedAttr tinyfuzz::randomScalar(Random &random, Type type, Flavour flavour) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(type, randomFloat(random, floatType.getFloatSemantics(), flavour));
  return IntegerAttr::get(type, randomInteger(random, cast<IntegerType>(type), flavour));
}

APInt tinyfuzz::randomBits(Random &random, Type type, Flavour flavour) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return randomFloat(random, floatType.getFloatSemantics(), flavour).bitcastToAPInt();
  return randomInteger(random, cast<IntegerType>(type), flavour);
}

DenseElementsAttr tinyfuzz::randomElements(Random &random, RankedTensorType type) {
  Flavour flavour = randomFlavour(random);
  bool isSplat = random.chance(30);
  SmallVector<Attribute> elements;
  for (int64_t k = 0; k < (isSplat ? 1 : type.getNumElements()); ++k)
    elements.push_back(randomScalar(random, type.getElementType(), flavour));
  return DenseElementsAttr::get(type, elements);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static tinyrt::ElementType elementTypeOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  for (int k = 0; k <= static_cast<int>(tinyrt::ElementType::ui64); ++k)
    if (text == tinyrt::name(static_cast<tinyrt::ElementType>(k)))
      return static_cast<tinyrt::ElementType>(k);
  llvm_unreachable("not an element type of the dialect");
}

std::vector<tinyrt::Tensor> tinyfuzz::generateInputs(func::FuncOp function, uint64_t seed) {
  Random random(seed ^ 0x696e70757473); // not the numbers that made the program
  std::vector<tinyrt::Tensor> inputs;
  for (Type argument : function.getArgumentTypes()) {
    auto type = cast<RankedTensorType>(argument);
    tinyrt::Tensor tensor(
        {elementTypeOf(type.getElementType()), {type.getShape().begin(), type.getShape().end()}});
    size_t bytes = tinyrt::byteSize(tensor.type().element);
    Flavour flavour = randomFlavour(random);
    for (int64_t k = 0; k < tensor.numElements(); ++k) {
      uint64_t bits = randomBits(random, type.getElementType(), flavour).getZExtValue();
      std::memcpy(tensor.as<char>() + k * bytes, &bits, bytes); // little-endian, as the targets
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}
