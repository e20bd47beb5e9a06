//===- TinyDialect.cpp - registration and facts about types ---------------===//

#include "Tiny/IR/TinyDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tiny;

#include "Tiny/IR/TinyDialect.cpp.inc"
#include "Tiny/IR/TinyEnums.cpp.inc"

/// A list of integers in brackets, which may be empty.
static ParseResult parseIntegers(AsmParser &parser, SmallVector<int64_t> &list) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                        [&] { return parser.parseInteger(list.emplace_back()); });
}
static void printIntegers(AsmPrinter &printer, ArrayRef<int64_t> list) {
  printer << '[';
  llvm::interleaveComma(list, printer);
  printer << ']';
}

#define GET_ATTRDEF_CLASSES
#include "Tiny/IR/TinyAttrs.cpp.inc"

void TinyDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "Tiny/IR/TinyAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "Tiny/IR/TinyOps.cpp.inc"
      >();
}

Operation *TinyDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                            Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

bool mlir::tiny::isMovement(Operation *op) {
  return isa<ReshapeOp, PermuteOp, ExpandOp, PadOp, ShrinkOp, StrideOp>(op);
}

bool mlir::tiny::isElementwise(Operation *op) {
  return isa<Exp2Op, Log2Op, SinOp, SqrtOp, CastOp, AddOp, MulOp, DivOp, MaxOp, CmpOp, WhereOp>(op);
}

Type mlir::tiny::storageType(Type elementType) {
  if (elementType.isBF16())
    return IntegerType::get(elementType.getContext(), 16);
  auto integer = dyn_cast<IntegerType>(elementType);
  if (!integer)
    return elementType;
  unsigned width = integer.getWidth() == 1 ? 8 : integer.getWidth();
  return IntegerType::get(elementType.getContext(), width);
}

int64_t mlir::tiny::storageBytes(RankedTensorType type) {
  return type.getNumElements() * (storageType(type.getElementType()).getIntOrFloatBitWidth() / 8);
}

TypedAttr mlir::tiny::reduceIdentity(ReduceKind kind, Type elementType) {
  if (auto floatType = dyn_cast<FloatType>(elementType)) {
    const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
    switch (kind) {
    case ReduceKind::add:
      return FloatAttr::get(elementType, APFloat::getZero(semantics));
    case ReduceKind::mul:
      return FloatAttr::get(elementType, APFloat::getOne(semantics));
    case ReduceKind::max:
      return FloatAttr::get(elementType, APFloat::getInf(semantics, /*Negative=*/true));
    }
  }
  auto integer = cast<IntegerType>(elementType);
  unsigned width = integer.getWidth();
  APInt value = APInt::getZero(width);
  if (kind == ReduceKind::mul)
    value = APInt(width, 1);
  else if (kind == ReduceKind::max && width != 1 && !integer.isUnsigned())
    value = APInt::getSignedMinValue(width);
  return IntegerAttr::get(elementType, value);
}

SlotAttr mlir::tiny::slotOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return SlotAttr::get(value.getContext(), Segment::argument, argument.getArgNumber(), 0,
                         storageBytes(cast<RankedTensorType>(value.getType())));
  if (auto constant = value.getDefiningOp<ConstantOp>())
    return constant.getSlotAttr();
  auto launch = value.getDefiningOp<LaunchOp>();
  if (!launch || !launch.getResultSlotsAttr())
    return {};
  return cast<SlotAttr>(launch.getResultSlotsAttr()[cast<OpResult>(value).getResultNumber()]);
}
