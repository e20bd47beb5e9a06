//===- Footprint.cpp - how many elements a set of accesses touches --------===//

#include "Footprint.h"

#include "Tiny/Schedule/View.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/Support/MathExtras.h"

#include <memory>
#include <numeric>

using namespace mlir;
using namespace mlir::tiny;
using Run = ElementSet::Run;

/// Runs that one set may have, and points that one part may take to enumerate. Both are far above
/// what a convolution or a shuffle of real networks needs, and a fraction of a second's work.
constexpr size_t kMaxRuns = 1 << 20;
constexpr int64_t kMaxPoints = 1 << 22;

//===----------------------------------------------------------------------===//
// Sets
//===----------------------------------------------------------------------===//

int64_t ElementSet::size() const {
  int64_t count = 0;
  for (Run run : runs)
    count += run.last - run.first + 1;
  return count;
}

/// Sorts runs and merges those that touch.
static void normalise(SmallVectorImpl<Run> &runs) {
  auto byFirst = [](const Run &a, const Run &b) { return a.first < b.first; };
  if (!llvm::is_sorted(runs, byFirst))
    llvm::sort(runs, byFirst);
  size_t kept = 0;
  for (size_t i = 1; i < runs.size(); ++i) {
    if (runs[i].first <= runs[kept].last + 1)
      runs[kept].last = std::max(runs[kept].last, runs[i].last);
    else
      runs[++kept] = runs[i];
  }
  if (!runs.empty())
    runs.truncate(kept + 1);
}

/// The same set in steps of `step`, which divides its own; nothing if it gets too many runs.
static std::optional<ElementSet> refine(const ElementSet &set, int64_t step) {
  if (set.step == step)
    return set;
  int64_t factor = set.step / step;
  ElementSet result{set.base, step, {}};
  if (static_cast<size_t>(set.size()) > kMaxRuns)
    return std::nullopt;
  for (Run run : set.runs)
    for (int64_t k = run.first; k <= run.last; ++k)
      result.runs.push_back({k * factor, k * factor});
  return result;
}

/// All sums of an element of each.
static std::optional<ElementSet> sum(const ElementSet &a, const ElementSet &b) {
  if (a.runs.empty() || b.runs.empty())
    return ElementSet{};
  auto isPoint = [](const ElementSet &set) {
    return set.runs.size() == 1 && set.runs[0].first == set.runs[0].last;
  };
  if (isPoint(a) || isPoint(b)) {
    ElementSet result = isPoint(a) ? b : a;
    const ElementSet &point = isPoint(a) ? a : b;
    result.base += point.base + point.step * point.runs[0].first;
    return result;
  }
  const ElementSet &coarse = a.step >= b.step ? a : b;
  const ElementSet *fine = a.step >= b.step ? &b : &a;
  int64_t step = std::gcd(coarse.step, fine->step);
  std::optional<ElementSet> refined;
  if (fine->step != step) {
    refined = refine(*fine, step);
    if (!refined)
      return std::nullopt;
    fine = &*refined;
  }
  int64_t factor = coarse.step / step;
  ElementSet result{coarse.base + fine->base, step, {}};
  for (Run outer : coarse.runs) {
    for (Run inner : fine->runs) {
      if (inner.last - inner.first + 1 >= factor) { // no gap between one step and the next
        result.runs.push_back(
            {outer.first * factor + inner.first, outer.last * factor + inner.last});
        continue;
      }
      if (static_cast<size_t>(outer.last - outer.first) + result.runs.size() > kMaxRuns)
        return std::nullopt;
      for (int64_t k = outer.first; k <= outer.last; ++k)
        result.runs.push_back({k * factor + inner.first, k * factor + inner.last});
    }
    if (result.runs.size() > kMaxRuns)
      return std::nullopt;
  }
  normalise(result.runs);
  return result;
}

/// The set of the given numbers, whose differences are multiples of `step`.
static ElementSet setOf(SmallVectorImpl<int64_t> &numbers, int64_t step) {
  llvm::sort(numbers);
  ElementSet result{numbers.empty() ? 0 : numbers.front(), step, {}};
  for (int64_t number : numbers) {
    int64_t k = (number - result.base) / step;
    if (!result.runs.empty() && k <= result.runs.back().last + 1)
      result.runs.back().last = k;
    else
      result.runs.push_back({k, k});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Enumeration
//===----------------------------------------------------------------------===//

namespace {
/// An affine expression made ready to be evaluated often.
class Evaluator {
public:
  explicit Evaluator(AffineExpr expr);
  int64_t operator()(ArrayRef<int64_t> point) const;

private:
  struct Division {
    AffineExprKind kind;
    int64_t scale, divisor;
    std::shared_ptr<Evaluator> inner;
  };
  int64_t constant;
  SmallVector<std::pair<unsigned, int64_t>, 2> linear;
  std::vector<Division> divisions;
};

/// A part of an access: loops that a guard or a division connects.
struct Part {
  SmallVector<unsigned> loops;
  LinearForm form; ///< What they add to the number of the element.
  SmallVector<AccessGuard> guards;
};
} // namespace

Evaluator::Evaluator(AffineExpr expr) {
  LinearForm form(expr);
  constant = form.constant;
  for (auto &[atom, scale] : form.terms) {
    if (auto dim = dyn_cast<AffineDimExpr>(atom)) {
      linear.push_back({dim.getPosition(), scale});
      continue;
    }
    auto binary = cast<AffineBinaryOpExpr>(atom);
    divisions.push_back({atom.getKind(), scale,
                         cast<AffineConstantExpr>(binary.getRHS()).getValue(),
                         std::make_shared<Evaluator>(binary.getLHS())});
  }
}

int64_t Evaluator::operator()(ArrayRef<int64_t> point) const {
  int64_t value = constant;
  for (auto [dim, scale] : linear)
    value += scale * point[dim];
  for (const Division &division : divisions) {
    int64_t number = (*division.inner)(point);
    if (division.kind == AffineExprKind::Mod)
      number = llvm::mod(number, division.divisor);
    else if (division.kind == AffineExprKind::FloorDiv)
      number = llvm::divideFloorSigned(number, division.divisor);
    else
      number = llvm::divideCeilSigned(number, division.divisor);
    value += division.scale * number;
  }
  return value;
}

/// Calls `visit` with every point of `loops` (others are 0) at which all guards hold.
template <typename Visit>
static void forEachPoint(const Part &part, ArrayRef<int64_t> extents, Visit visit) {
  struct Guard {
    Evaluator expr;
    int64_t low, high;
  };
  std::vector<Guard> guards;
  for (const AccessGuard &guard : part.guards)
    guards.push_back({Evaluator(guard.expr), guard.low, guard.high});
  SmallVector<int64_t> point(extents.size(), 0);
  while (true) {
    bool holds = llvm::all_of(guards, [&](const Guard &guard) {
      int64_t value = guard.expr(point);
      return guard.low <= value && value < guard.high;
    });
    if (holds)
      visit(point);
    unsigned position = part.loops.size();
    while (position > 0) {
      unsigned loop = part.loops[position - 1];
      if (++point[loop] < extents[loop])
        break;
      point[loop] = 0;
      --position;
    }
    if (position == 0)
      return;
  }
}

/// How many points `forEachPoint` looks at; -1 if they are too many.
static int64_t pointsOf(const Part &part, ArrayRef<int64_t> extents,
                        const EnumerationBudget &budget) {
  int64_t points = 1;
  for (unsigned loop : part.loops) {
    points *= extents[loop];
    if (points > std::min(kMaxPoints, budget.points))
      return -1;
  }
  return points;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// The parts of `access` that have a loop of `loops`.
static SmallVector<Part> partsOf(const KernelAccess &access, const llvm::SmallBitVector &loops) {
  unsigned numLoops = access.extents.size();
  llvm::IntEqClasses classes(numLoops);
  auto connect = [&](AffineExpr expr) {
    std::optional<unsigned> first;
    for (unsigned loop = 0; loop < numLoops; ++loop)
      if (expr.isFunctionOfDim(loop)) {
        if (first)
          classes.join(*first, loop);
        first = loop;
      }
  };
  LinearForm form;
  if (access.element)
    form.add(access.element, 1);
  llvm::SmallBitVector used = loops;
  for (auto &[atom, scale] : form.terms)
    connect(atom);
  for (const AccessGuard &guard : access.guards) {
    connect(guard.expr);
    for (unsigned loop = 0; loop < numLoops; ++loop)
      if (guard.expr.isFunctionOfDim(loop))
        used.set(loop);
  }
  classes.compress();

  SmallVector<Part> parts(classes.getNumClasses());
  auto partOf = [&](AffineExpr expr) -> Part & {
    for (unsigned loop = 0;; ++loop)
      if (expr.isFunctionOfDim(loop))
        return parts[classes[loop]];
  };
  for (unsigned loop : used.set_bits())
    parts[classes[loop]].loops.push_back(loop);
  for (auto &[atom, scale] : form.terms)
    partOf(atom).form.add(atom, scale);
  for (const AccessGuard &guard : access.guards)
    partOf(guard.expr).guards.push_back(guard);
  llvm::erase_if(parts, [](const Part &part) { return part.loops.empty(); });
  return parts;
}

static bool isLinear(const LinearForm &form) {
  return llvm::all_of(form.terms, [](auto &term) { return isa<AffineDimExpr>(term.first); });
}

/// The numbers that a linear form takes over the loops, without guards.
static std::optional<ElementSet> progressionOf(const LinearForm &form, ArrayRef<int64_t> extents) {
  auto terms = llvm::to_vector(form.terms);
  llvm::sort(terms, [](auto &a, auto &b) { return std::abs(a.second) < std::abs(b.second); });
  std::optional<ElementSet> set = ElementSet{form.constant, 1, {{0, 0}}};
  for (auto [dim, scale] : terms) {
    int64_t last = extents[cast<AffineDimExpr>(dim).getPosition()] - 1;
    ElementSet progression{scale < 0 ? scale * last : 0, std::abs(scale), {{0, last}}};
    if (set = sum(*set, progression); !set)
      break;
  }
  return set;
}

/// Keeps the numbers in [low, high].
static void clip(ElementSet &set, int64_t low, int64_t high) {
  int64_t first = llvm::divideCeilSigned(low - set.base, set.step);
  int64_t last = llvm::divideFloorSigned(high - set.base, set.step);
  for (Run &run : set.runs)
    run = {std::max(run.first, first), std::min(run.last, last)};
  llvm::erase_if(set.runs, [](Run run) { return run.first > run.last; });
}

/// The numbers of a linear form whose guards are on a multiple of itself, as the rows of a padded
/// window: `r * width` where 0 <= r < height.
static std::optional<ElementSet> clippedSet(const Part &part, ArrayRef<int64_t> extents) {
  if (!isLinear(part.form) || part.form.terms.empty())
    return std::nullopt;
  // Both are multiples of one form, scaled so that it has no common factor.
  auto scaleOf = [](const LinearForm &form, const LinearForm &unit) -> int64_t {
    if (form.terms.size() != unit.terms.size())
      return 0;
    int64_t scale = 0;
    for (auto &[atom, coefficient] : unit.terms) {
      auto found = llvm::find_if(form.terms, [&](auto &term) { return term.first == atom; });
      if (found == form.terms.end() || found->second % coefficient)
        return 0;
      if (scale && found->second / coefficient != scale)
        return 0;
      scale = found->second / coefficient;
    }
    return scale;
  };
  int64_t factor = 0;
  for (auto &term : part.form.terms)
    factor = std::gcd(factor, term.second);
  LinearForm unit;
  for (auto &[atom, coefficient] : part.form.terms)
    unit.terms.push_back({atom, coefficient / factor});
  int64_t low = INT64_MIN, high = INT64_MAX; // of the unit
  for (const AccessGuard &guard : part.guards) {
    LinearForm form(guard.expr);
    int64_t scale = scaleOf(form, unit);
    if (scale == 0)
      return std::nullopt;
    // guard.low <= scale * u + constant <= guard.high - 1
    int64_t least = guard.low - form.constant, most = guard.high - 1 - form.constant;
    if (scale < 0)
      std::swap(least, most);
    low = std::max(low, llvm::divideCeilSigned(least, scale));
    high = std::min(high, llvm::divideFloorSigned(most, scale));
  }
  std::optional<ElementSet> set = progressionOf(unit, extents);
  if (!set)
    return std::nullopt;
  if (!part.guards.empty())
    clip(*set, low, high);
  set->base *= factor;
  set->step *= factor;
  return set;
}

/// The numbers that a part adds to the number of the element, where its guards hold.
static std::optional<ElementSet> setOf(const Part &part, ArrayRef<int64_t> extents,
                                       EnumerationBudget &budget) {
  if (part.guards.empty() && isLinear(part.form))
    return progressionOf(part.form, extents);
  if (auto set = clippedSet(part, extents))
    return set;
  int64_t points = pointsOf(part, extents, budget);
  if (points < 0)
    return std::nullopt;
  budget.points -= points;
  int64_t step = 0;
  for (auto &term : part.form.terms)
    step = std::gcd(step, term.second);
  Evaluator number(part.form.terms.empty()
                       ? getAffineConstantExpr(0, part.guards.front().expr.getContext())
                       : part.form.expr(part.form.terms.front().first.getContext()));
  SmallVector<int64_t> numbers;
  forEachPoint(part, extents, [&](ArrayRef<int64_t> point) {
    int64_t value = number(point);
    if (numbers.empty() || numbers.back() != value)
      numbers.push_back(value);
  });
  return setOf(numbers, std::max<int64_t>(step, 1));
}

//===----------------------------------------------------------------------===//
// Footprints
//===----------------------------------------------------------------------===//

/// How often an access is made whose element is computed from data: once for each point of the
/// loops that it depends on at which the guards hold.
static ElementCount countEvaluations(const KernelAccess &access, EnumerationBudget &budget) {
  ElementCount count{1, true};
  for (const Part &part : partsOf(access, access.loops)) {
    int64_t all = 1, holding = 0;
    for (unsigned loop : part.loops)
      if (access.loops.test(loop))
        all = llvm::SaturatingMultiply<uint64_t>(all, access.extents[loop]);
    int64_t points = part.guards.empty() ? -1 : pointsOf(part, access.extents, budget);
    bool onlyOwnLoops =
        llvm::all_of(part.loops, [&](unsigned loop) { return access.loops.test(loop); });
    if (points >= 0 && onlyOwnLoops) {
      budget.points -= points;
      forEachPoint(part, access.extents, [&](ArrayRef<int64_t>) { ++holding; });
      all = holding;
    } else if (!part.guards.empty()) {
      count.exact = false;
    }
    count.elements =
        std::min<uint64_t>(llvm::SaturatingMultiply<uint64_t>(count.elements, all), INT64_MAX);
  }
  return count;
}

void Footprint::add(const KernelAccess &access) {
  bool isKnown = llvm::any_of(seen, [&](const KernelAccess &other) {
    return other.element && other.element == access.element && other.guards == access.guards &&
           other.extents == access.extents;
  });
  if (isWhole || isKnown)
    return;
  seen.push_back(access);
  auto addCount = [&](ElementCount count) {
    others.elements = std::min(elements, others.elements + std::min(elements, count.elements));
    others.exact &= count.exact;
  };
  if (!access.element)
    return addCount(countEvaluations(access, budget));

  LinearForm form(access.element);
  std::optional<ElementSet> set = ElementSet{form.constant, 1, {{0, 0}}};
  SmallVector<ElementSet> parts;
  for (const Part &part : partsOf(access, access.loops)) {
    std::optional<ElementSet> partSet = setOf(part, access.extents, budget);
    if (!partSet)
      return addCount({elements, false});
    parts.push_back(std::move(*partSet));
  }
  // Small steps first: gaps are closed early.
  llvm::sort(parts, [](auto &a, auto &b) { return a.step < b.step; });
  for (const ElementSet &part : parts)
    if (set = sum(*set, part); !set)
      return addCount({elements, false});
  if (set->size() == elements)
    isWhole = true;
  else if (!set->runs.empty())
    sets.push_back(std::move(*set));
}

ElementCount Footprint::count() const {
  if (isWhole)
    return {elements, true};
  ElementCount result = others;
  if (!sets.empty()) {
    // In one step, the union is a list of runs.
    int64_t step = 0;
    for (const ElementSet &set : sets) {
      step = std::gcd(step, set.step);
      step = std::gcd(step, set.base - sets.front().base);
    }
    SmallVector<Run, 1> runs;
    int64_t most = 0;
    bool isListed = true;
    for (const ElementSet &set : sets) {
      most = std::min(elements, most + set.size());
      std::optional<ElementSet> refined = refine(set, step);
      isListed &= refined.has_value();
      for (Run run : refined ? ArrayRef<Run>(refined->runs) : ArrayRef<Run>()) {
        int64_t shift = (set.base - sets.front().base) / step;
        runs.push_back({run.first + shift, run.last + shift});
      }
    }
    normalise(runs);
    if (sets.size() == 1)
      result.elements += sets.front().size();
    else
      result.elements += isListed ? ElementSet{0, 1, runs}.size() : most;
    result.exact &= sets.size() == 1 || isListed;
  }
  // Elements that data chooses may be among the others.
  result.elements = std::min(elements, result.elements);
  return result;
}
