//===- View.cpp - how a loop nest sees a tensor ---------------------------===//
//
// The arithmetic of index expressions, and what each movement op does to them.
//
// MLIR simplifies an affine expression without knowing the ranges of its dims,
// so it keeps `(4*i + j) floordiv 4` where j < 4. Everything here works on sums of
// atoms (dims, mods, floordivs) with ranges, which is what removes the divisions
// that a reshape brings in.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Schedule/View.h"

#include "Tiny/IR/TinyDialect.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tiny;

//===----------------------------------------------------------------------===//
// Linear forms
//===----------------------------------------------------------------------===//

/// A total order on expressions that does not depend on addresses, so that the same view prints
/// the same way in every run.
static int compare(AffineExpr a, AffineExpr b) {
  if (a == b)
    return 0;
  if (a.getKind() != b.getKind())
    return a.getKind() < b.getKind() ? 1 : -1; // dims (the last kinds) first
  if (auto dim = dyn_cast<AffineDimExpr>(a))
    return dim.getPosition() < cast<AffineDimExpr>(b).getPosition() ? -1 : 1;
  if (auto constant = dyn_cast<AffineConstantExpr>(a))
    return constant.getValue() < cast<AffineConstantExpr>(b).getValue() ? -1 : 1;
  auto x = cast<AffineBinaryOpExpr>(a), y = cast<AffineBinaryOpExpr>(b);
  if (int order = compare(x.getLHS(), y.getLHS()))
    return order;
  return compare(x.getRHS(), y.getRHS());
}

void LinearForm::add(AffineExpr expr, int64_t scale) {
  if (scale == 0)
    return;
  if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
    constant += scale * number.getValue();
    return;
  }
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    if (binary.getKind() == AffineExprKind::Add) {
      add(binary.getLHS(), scale);
      add(binary.getRHS(), scale);
      return;
    }
    if (binary.getKind() == AffineExprKind::Mul) {
      // MLIR keeps the constant factor on the right.
      add(binary.getLHS(), scale * cast<AffineConstantExpr>(binary.getRHS()).getValue());
      return;
    }
  }
  for (auto *term = terms.begin(); term != terms.end(); ++term) {
    if (term->first != expr)
      continue;
    term->second += scale;
    if (term->second == 0)
      terms.erase(term);
    return;
  }
  terms.push_back({expr, scale});
}

AffineExpr LinearForm::expr(MLIRContext *context) const {
  auto sorted = llvm::to_vector(terms);
  llvm::sort(sorted, [](auto &a, auto &b) { return compare(a.first, b.first) < 0; });
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (auto &[atom, coefficient] : sorted)
    sum = sum + atom * coefficient;
  return sum + constant;
}

//===----------------------------------------------------------------------===//
// Ranges and simplification
//===----------------------------------------------------------------------===//

static IndexRange rangeOfForm(const LinearForm &form, ArrayRef<int64_t> extents) {
  IndexRange sum{form.constant, form.constant};
  for (auto &[atom, coefficient] : form.terms) {
    IndexRange range = rangeOf(atom, extents);
    if (coefficient < 0)
      std::swap(range.low, range.high);
    sum.low += coefficient * range.low;
    sum.high += coefficient * range.high;
  }
  return sum;
}

IndexRange mlir::tiny::rangeOf(AffineExpr expr, ArrayRef<int64_t> extents) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return {0, extents[dim.getPosition()] - 1};
  if (expr.getKind() != AffineExprKind::Mod && expr.getKind() != AffineExprKind::FloorDiv)
    return rangeOfForm(LinearForm(expr), extents);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  IndexRange inner = rangeOf(binary.getLHS(), extents);
  int64_t low = llvm::divideFloorSigned(inner.low, divisor);
  int64_t high = llvm::divideFloorSigned(inner.high, divisor);
  if (expr.getKind() == AffineExprKind::FloorDiv)
    return {low, high};
  if (low == high)
    return {inner.low - low * divisor, inner.high - low * divisor};
  return {0, divisor - 1};
}

/// Replaces `k*b * (x floordiv k) + b * (x mod k)` by `b * x`, and the same under an outer mod:
/// `k*b * ((x floordiv k) mod m) + b * (x mod k)` by `b * (x mod k*m)`.
static bool recombine(LinearForm &form) {
  for (auto &[low, lowScale] : form.terms) {
    auto mod = dyn_cast<AffineBinaryOpExpr>(low);
    if (!mod || mod.getKind() != AffineExprKind::Mod)
      continue;
    AffineExpr x = mod.getLHS();
    int64_t k = cast<AffineConstantExpr>(mod.getRHS()).getValue();
    for (auto &[high, highScale] : form.terms) {
      if (high == low || highScale != lowScale * k)
        continue;
      AffineExpr quotient = x.floorDiv(k), whole = x;
      if (auto outer = dyn_cast<AffineBinaryOpExpr>(high);
          outer && outer.getKind() == AffineExprKind::Mod) {
        int64_t m = cast<AffineConstantExpr>(outer.getRHS()).getValue();
        quotient = quotient % m;
        whole = x % (k * m);
      }
      if (high != quotient)
        continue;
      int64_t scale = lowScale;
      AffineExpr highAtom = high, lowAtom = low;
      form.add(highAtom, -highScale);
      form.add(lowAtom, -scale);
      form.add(whole, scale);
      return true;
    }
  }
  return false;
}

/// A linear form as `multiple * divisor + rest`, where the coefficients of the rest are smaller
/// than the divisor and its constant is in [0, divisor).
struct Division {
  LinearForm multiple, rest;
};

static Division divide(const LinearForm &form, int64_t divisor) {
  Division result;
  for (auto &[atom, coefficient] : form.terms) {
    result.multiple.add(atom, coefficient / divisor);
    result.rest.add(atom, coefficient % divisor);
  }
  result.multiple.constant = llvm::divideFloorSigned(form.constant, divisor);
  result.rest.constant = form.constant - result.multiple.constant * divisor;
  return result;
}

/// `form` as `factor * high + low` with 0 <= low < factor, for a factor > 1 of `divisor`; then
///   form floordiv divisor = high floordiv (divisor / factor)
///   form mod divisor      = factor * (high mod (divisor / factor)) + low
struct Factored {
  int64_t factor;
  LinearForm high, low;
};

static std::optional<Factored> factor(const LinearForm &form, int64_t divisor,
                                      ArrayRef<int64_t> extents) {
  std::optional<Factored> best;
  for (auto &term : form.terms) {
    int64_t candidate = std::gcd(divisor, std::abs(term.second));
    if (candidate == 1 || (best && best->factor >= candidate))
      continue;
    Factored parts{candidate, {}, {}};
    for (auto &[atom, coefficient] : form.terms) {
      if (coefficient % candidate == 0)
        parts.high.add(atom, coefficient / candidate);
      else
        parts.low.add(atom, coefficient);
    }
    parts.high.constant = llvm::divideFloorSigned(form.constant, candidate);
    parts.low.constant = form.constant - parts.high.constant * candidate;
    IndexRange range = rangeOfForm(parts.low, extents);
    int64_t carry = llvm::divideFloorSigned(range.low, candidate);
    if (carry != llvm::divideFloorSigned(range.high, candidate))
      continue;
    parts.high.constant += carry;
    parts.low.constant -= carry * candidate;
    best = parts;
  }
  return best;
}

/// The atom of a form that is nothing but that atom, or null.
static AffineBinaryOpExpr soleDivision(const LinearForm &form) {
  if (form.terms.size() != 1 || form.constant != 0 || form.terms[0].second != 1)
    return nullptr;
  return dyn_cast<AffineBinaryOpExpr>(form.terms[0].first);
}

/// The constant on the right of a mod, floordiv or mul.
static int64_t constantOf(AffineBinaryOpExpr expr) {
  return cast<AffineConstantExpr>(expr.getRHS()).getValue();
}

static AffineExpr simplifyMod(const LinearForm &form, int64_t divisor, MLIRContext *context,
                              ArrayRef<int64_t> extents);

static AffineExpr simplifyFloorDiv(const LinearForm &form, int64_t divisor, MLIRContext *context,
                                   ArrayRef<int64_t> extents) {
  if (divisor == 1)
    return form.expr(context);
  auto [quotient, rest] = divide(form, divisor);
  IndexRange range = rangeOfForm(rest, extents);
  int64_t low = llvm::divideFloorSigned(range.low, divisor);
  if (low == llvm::divideFloorSigned(range.high, divisor)) {
    quotient.constant += low;
    return quotient.expr(context);
  }
  AffineExpr remaining;
  if (auto parts = factor(rest, divisor, extents)) {
    remaining = simplifyFloorDiv(parts->high, divisor / parts->factor, context, extents);
  } else if (AffineBinaryOpExpr inner = soleDivision(rest);
             inner && inner.getKind() == AffineExprKind::FloorDiv) {
    remaining =
        simplifyFloorDiv(LinearForm(inner.getLHS()), constantOf(inner) * divisor, context, extents);
  } else if (inner && constantOf(inner) % divisor == 0) {
    AffineExpr below = simplifyFloorDiv(LinearForm(inner.getLHS()), divisor, context, extents);
    remaining = simplifyMod(LinearForm(below), constantOf(inner) / divisor, context, extents);
  } else {
    remaining = rest.expr(context).floorDiv(divisor);
  }
  quotient.add(remaining, 1);
  return quotient.expr(context);
}

static AffineExpr simplifyMod(const LinearForm &form, int64_t divisor, MLIRContext *context,
                              ArrayRef<int64_t> extents) {
  LinearForm rest = divide(form, divisor).rest;
  IndexRange range = rangeOfForm(rest, extents);
  int64_t low = llvm::divideFloorSigned(range.low, divisor);
  if (low == llvm::divideFloorSigned(range.high, divisor)) {
    rest.constant -= low * divisor;
    return rest.expr(context);
  }
  if (auto parts = factor(rest, divisor, extents)) {
    LinearForm result = parts->low;
    result.add(simplifyMod(parts->high, divisor / parts->factor, context, extents), parts->factor);
    return result.expr(context);
  }
  if (AffineBinaryOpExpr inner = soleDivision(rest);
      inner && inner.getKind() == AffineExprKind::Mod && constantOf(inner) % divisor == 0)
    return simplifyMod(LinearForm(inner.getLHS()), divisor, context, extents);
  return rest.expr(context) % divisor;
}

AffineExpr mlir::tiny::simplify(AffineExpr expr, ArrayRef<int64_t> extents) {
  MLIRContext *context = expr.getContext();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return extents[dim.getPosition()] == 1 ? getAffineConstantExpr(0, context) : expr;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr lhs = simplify(binary.getLHS(), extents);
  if (binary.getKind() == AffineExprKind::FloorDiv)
    return simplifyFloorDiv(LinearForm(lhs), constantOf(binary), context, extents);
  if (binary.getKind() == AffineExprKind::Mod)
    return simplifyMod(LinearForm(lhs), constantOf(binary), context, extents);
  LinearForm form;
  if (binary.getKind() == AffineExprKind::Mul) {
    form.add(lhs, constantOf(binary));
  } else {
    form.add(lhs, 1);
    form.add(simplify(binary.getRHS(), extents), 1);
  }
  while (recombine(form)) {
    // A recombined mod may be settled by its range now.
    LinearForm again;
    again.constant = form.constant;
    for (auto &[atom, coefficient] : form.terms)
      again.add(simplify(atom, extents), coefficient);
    form = again;
  }
  return form.expr(context);
}

unsigned mlir::tiny::countDivisions(AffineExpr expr) {
  unsigned count = 0;
  expr.walk([&](AffineExpr part) {
    count += part.getKind() == AffineExprKind::Mod || part.getKind() == AffineExprKind::FloorDiv;
  });
  return count;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

View::View(MLIRContext *context, ArrayRef<int64_t> extents, ArrayRef<int64_t> shape,
           ArrayRef<AffineExpr> index)
    : context_(context), extents_(extents), shape_(shape), index_(index) {
  for (AffineExpr &expr : index_)
    expr = simplify(expr, extents_);
}

View View::identity(MLIRContext *context, ArrayRef<int64_t> extents) {
  SmallVector<AffineExpr> index;
  for (size_t dim = 0; dim < extents.size(); ++dim)
    index.push_back(getAffineDimExpr(dim, context));
  return View(context, extents, extents, index);
}

View View::unconstrained() const {
  View view = *this;
  view.constraints_.clear();
  return view;
}

void View::constrain(AffineExpr expr, int64_t low, int64_t high, TypedAttr pad) {
  IndexRange range = rangeOf(expr, extents_);
  if (low <= range.low && range.high < high)
    return;
  constraints_.push_back({expr, low, high, pad});
}

TypedAttr View::constantValue() const {
  if (constraints_.empty())
    return {};
  const Constraint &first = constraints_.front();
  IndexRange range = rangeOf(first.expr, extents_);
  bool neverHolds = first.low >= first.high || range.high < first.low || range.low >= first.high;
  return neverHolds ? first.pad : TypedAttr();
}

/// The row-major index of element `index` of a tensor of shape `shape`.
static AffineExpr linearise(ArrayRef<AffineExpr> index, ArrayRef<int64_t> shape,
                            MLIRContext *context) {
  LinearForm flat;
  int64_t step = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    flat.add(index[dim], step);
    step *= shape[dim];
  }
  return flat.expr(context);
}

AffineExpr View::flatIndex() const {
  return simplify(linearise(index_, shape_, context_), extents_);
}

/// Splits both shapes into the shortest runs with equal products, so that a dim that the reshape
/// leaves alone is never mixed with others.
void View::reshapeTo(ArrayRef<int64_t> shape) {
  SmallVector<AffineExpr> index(shape.size(), getAffineConstantExpr(0, context_));
  bool empty = llvm::is_contained(shape, 0);
  size_t from = 0, to = 0;
  while (!empty && (from < shape_.size() || to < shape.size())) {
    size_t fromBegin = from, toBegin = to;
    int64_t fromSize = from < shape_.size() ? shape_[from++] : 1;
    int64_t toSize = to < shape.size() ? shape[to++] : 1;
    while (fromSize != toSize) {
      if (fromSize < toSize)
        fromSize *= shape_[from++];
      else
        toSize *= shape[to++];
    }
    ArrayRef<int64_t> fromRun = ArrayRef(shape_).slice(fromBegin, from - fromBegin);
    AffineExpr flat = simplify(
        linearise(ArrayRef(index_).slice(fromBegin, fromRun.size()), fromRun, context_), extents_);
    int64_t step = 1;
    for (size_t dim = to; dim-- > toBegin;) {
      AffineExpr part = flat.floorDiv(step);
      // The first dim of a run needs no mod: its index is in range wherever the element is read.
      index[dim] = simplify(dim == toBegin ? part : part % shape[dim], extents_);
      step *= shape[dim];
    }
  }
  shape_.assign(shape.begin(), shape.end());
  index_ = index;
}

View View::through(Operation *movement) const {
  View view = *this;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(movement->getOperand(0).getType()).getShape();
  auto replaceIndex = [&](auto &&oneDim) {
    for (size_t dim = 0; dim < shape.size(); ++dim)
      view.index_[dim] = simplify(oneDim(dim, index_[dim]), extents_);
    view.shape_.assign(shape.begin(), shape.end());
  };
  llvm::TypeSwitch<Operation *>(movement)
      .Case([&](ReshapeOp) { view.reshapeTo(shape); })
      .Case([&](PermuteOp op) {
        for (auto [dim, from] : llvm::enumerate(op.getPermutation()))
          view.index_[from] = index_[dim];
        view.shape_.assign(shape.begin(), shape.end());
      })
      .Case([&](ExpandOp) {
        replaceIndex([&](size_t dim, AffineExpr expr) {
          return shape[dim] == 1 ? getAffineConstantExpr(0, context_) : expr;
        });
      })
      .Case([&](ShrinkOp op) {
        replaceIndex([&](size_t dim, AffineExpr expr) { return expr + op.getOffsets()[dim]; });
      })
      .Case([&](StrideOp op) {
        replaceIndex([&](size_t dim, AffineExpr expr) {
          int64_t step = op.getSteps()[dim];
          return step > 0 ? expr * step : expr * step + (shape[dim] - 1);
        });
      })
      .Case([&](PadOp op) {
        replaceIndex([&](size_t dim, AffineExpr expr) { return expr - op.getLow()[dim]; });
        for (auto [dim, size] : llvm::enumerate(shape))
          view.constrain(view.index_[dim], 0, size, op.getValue());
      });
  return view;
}
