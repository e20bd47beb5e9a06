//===- Grouping.cpp - which nests are launched together -------------------===//
//
// Nests are merged along the values that pass between them, from producers to
// consumers, as long as a merge saves time: a launch and the traffic of the value
// against loops that are no longer parallel and operands that every workgroup reads
// again. What a merge leaves to run in parallel are the loops that all of its nests
// share, so legality is a question of which loops a value connects. In the end,
// kernels that do not depend on one another and read the same value are launched
// side by side.
//
//===----------------------------------------------------------------------===//

#include "Grouping.h"

#include "SharedLoops.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

#include <queue>
#include <set>

using namespace mlir;
using namespace mlir::tiny;

static int64_t bytesPerElement(Value value) {
  Type type = storageType(cast<RankedTensorType>(value.getType()).getElementType());
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

namespace {
struct Group {
  SmallVector<unsigned> members; // numbers of nests
  std::vector<Nest> nests;       // of these, with the loops that they have in this group
  llvm::SmallDenseSet<Value> locals;
  std::optional<OnlineReduction> online;
  double cost = 0;
  int64_t outsideBytes = 0; // that it reads and writes
};

class Grouper {
public:
  Grouper(std::vector<Nest> nests, const llvm::DenseSet<Value> &escapes,
          const GroupingCosts &costs);
  std::vector<Kernel> run();

private:
  SmallVector<unsigned> usersOf(unsigned number, const Nest &nest) const;
  void mergeLongRows();
  void mergeAlongValues();
  void mergeSideBySide();
  Group joined(ArrayRef<unsigned> parts) const;
  SmallVector<unsigned> nestsAlongRows(unsigned pivot) const;
  /// False if the groups of two nests were not merged; `refusal` says why then.
  bool tryMerge(unsigned producer, unsigned consumer, std::string &refusal);
  /// Sets `refusal`, which costs something, if anybody wants to know.
  template <typename... Args> bool refuse(std::string &refusal, Args &&...args) const {
    if (costs.remarks)
      refusal = llvm::formatv(std::forward<Args>(args)...).str();
    return false;
  }
  bool reachesAround(unsigned producer, unsigned consumer, ArrayRef<unsigned> among = {}) const;
  bool canShareAKernel(const Group &a, const Group &b) const;
  int64_t bytesAtPoint(const Group &group, const Nest &nest, const SharedLoops &shared) const;
  void chooseLocals(Group &group, const SharedLoops &shared) const;
  void price(Group &group, const SharedLoops &shared) const;
  SmallVector<unsigned> launchOrder() const;
  void replaceGroup(unsigned from, unsigned to);
  void remarkOnBuffers() const;

  const llvm::DenseSet<Value> &escapes;
  const GroupingCosts &costs;
  std::vector<Group> groups;     // emptied where merged into another one
  SmallVector<unsigned> groupOf; // by nest
  llvm::DenseMap<std::pair<unsigned, unsigned>, std::string> refusals; // by producer and consumer
  llvm::DenseMap<Value, SmallVector<unsigned, 2>> readers, writers;
  llvm::DenseMap<Value, SmallVector<unsigned, 2>> updaters; // nests that write over a value
};
} // namespace

Grouper::Grouper(std::vector<Nest> nests, const llvm::DenseSet<Value> &escapes,
                 const GroupingCosts &costs)
    : escapes(escapes), costs(costs) {
  for (auto [number, nest] : llvm::enumerate(nests)) {
    unsigned self = number;
    nest.forEachRead([&](const Node &read) {
      auto &known = readers[read.value];
      if (!llvm::is_contained(known, self))
        known.push_back(self);
    });
    if (nest.updates) {
      readers[nest.updates].push_back(self);
      updaters[nest.updates].push_back(self);
    }
    for (Value value : nest.written())
      writers[value].push_back(self);
  }
  for (auto [number, nest] : llvm::enumerate(nests)) {
    Group group;
    group.members = {static_cast<unsigned>(number)};
    group.nests.push_back(std::move(nest));
    SharedLoops alone{group.nests[0].numPoints(), {~uint64_t(0)}};
    price(group, alone);
    groups.push_back(std::move(group));
    groupOf.push_back(number);
  }
}

/// The nests that come after `nest`: those that read what it writes, and those that write over what
/// it reads.
SmallVector<unsigned> Grouper::usersOf(unsigned number, const Nest &nest) const {
  SmallVector<unsigned> result;
  for (Value value : nest.written())
    llvm::append_range(result, readers.lookup(value));
  if (updaters.empty())
    return result;
  nest.forEachRead([&](const Node &read) {
    for (unsigned updater : updaters.lookup(read.value))
      if (updater > number)
        result.push_back(updater);
  });
  return result;
}

/// Whether a path leads from `producer` to `consumer` through a group that is not `among` those to
/// be merged. Gives up with yes.
bool Grouper::reachesAround(unsigned producer, unsigned consumer, ArrayRef<unsigned> among) const {
  constexpr size_t limit = 64;
  SmallVector<unsigned> open = {producer};
  llvm::SmallDenseSet<unsigned> seen = {producer};
  unsigned last = groups[consumer].members.back();
  while (!open.empty()) {
    unsigned group = open.pop_back_val();
    for (auto [number, nest] : llvm::zip_equal(groups[group].members, groups[group].nests))
      for (unsigned user : usersOf(number, nest)) {
        unsigned next = groupOf[user];
        if (next == consumer && group != producer)
          return true;
        if (llvm::is_contained(among, next))
          continue; // it is asked for on its own
        // A group whose first nest comes after all of the consumer's does not lead back to it.
        if (next == consumer || groups[next].members.front() > last || !seen.insert(next).second)
          continue;
        if (seen.size() > limit)
          return true;
        open.push_back(next);
      }
  }
  return false;
}

/// The parts of one buffer are written by different launches, each of which updates it; who reads a
/// buffer of several parts needs all of them, and who reads a value whose buffer is taken over
/// needs all of that.
bool Grouper::canShareAKernel(const Group &a, const Group &b) const {
  if (a.nests.size() + b.nests.size() > costs.maxNests)
    return false;
  for (const Nest &x : a.nests)
    for (const Nest &y : b.nests) {
      // The loop of a scan is the only one that runs along the result and cannot be shared out.
      if (x.buffer() == y.buffer() || x.isScan() || y.isScan())
        return false;
      bool reads = false;
      for (auto [part, other] : {std::pair(&x, &y), std::pair(&y, &x)}) {
        if (!part->writesPart())
          continue;
        other->forEachRead([&, part = part](const Node &read) {
          reads |= llvm::is_contained(part->written(), read.value) || read.value == part->updates;
        });
        reads |= part->updates && llvm::is_contained(other->written(), part->updates);
      }
      if (reads)
        return false;
    }
  return true;
}

/// Whether `value` exists for a block of an online reduction only.
static bool isInBlocks(const Group &group, Value value) {
  return group.online &&
         (value == group.online->score || llvm::any_of(group.online->weights, [&](unsigned weight) {
            return group.nests[weight].result == value;
          }));
}

/// What a workgroup keeps of a local for one point of the shared loops.
int64_t Grouper::bytesAtPoint(const Group &group, const Nest &nest,
                              const SharedLoops &shared) const {
  int64_t bytes = nest.numPoints() / shared.points * bytesPerElement(nest.result);
  if (!isInBlocks(group, nest.result))
    return bytes;
  int64_t extent = group.online->extents.back();
  return bytes / extent * std::min(extent, costs.onlineExtent);
}

/// Whether `nest` uses elements of some operand many times: a contraction, a convolution.
static bool isContraction(const Nest &nest) {
  if (!nest.reduction)
    return false;
  bool reuses = false;
  nest.forEachRead([&](const Node &read) {
    for (unsigned loop = 0; loop < nest.domain.numParallel; ++loop)
      reuses |= !read.index.isFunctionOfDim(loop);
  });
  return reuses;
}

/// Whether `nest` sums products that a matrix unit has: of factors that were narrow before.
static bool multipliesNarrow(const Nest &nest) {
  if (!isContraction(nest) || !isa_and_nonnull<MulOp>(nest.body.nodes[nest.body.root].op))
    return false;
  return llvm::all_of(nest.body.nodes[nest.body.root].operands, [&](int number) {
    const Node &node = nest.body.nodes[number];
    return isa_and_nonnull<CastOp>(node.op) &&
           nest.body.nodes[node.operands[0]].type.getIntOrFloatBitWidth() <= 16;
  });
}

/// What nobody outside needs stays inside, as long as there is room. Where there is not, softmax
/// and attention go along their rows in blocks, and the rest is written to buffers, the largest
/// first.
void Grouper::chooseLocals(Group &group, const SharedLoops &shared) const {
  auto isPrivate = [&](Value value) {
    return !escapes.contains(value) && llvm::all_of(readers.lookup(value), [&](unsigned reader) {
      return llvm::is_contained(group.members, reader);
    });
  };
  SmallVector<std::pair<int64_t, Value>> inside; // bytes at one shared point
  int64_t total = 0;
  auto measure = [&] {
    inside.clear();
    total = 0;
    for (const Nest &nest : group.nests) {
      if (nest.writesPart() || !isPrivate(nest.result))
        continue;
      if (isInBlocks(group, nest.result)) { // which are as small as they have to be
        group.locals.insert(nest.result);
        continue;
      }
      int64_t bytes = bytesAtPoint(group, nest, shared);
      inside.push_back({bytes, nest.result});
      total += bytes;
    }
  };
  measure();
  if (total > costs.localBytes) {
    group.online = findOnlineReduction(group.nests, isPrivate);
    measure();
  } else if (total * costs.matrixRows > costs.localBytes &&
             llvm::any_of(group.nests, multipliesNarrow)) {
    // Attention: as many rows as a matrix unit takes have to be there at the same time. A softmax
    // alone multiplies nothing by its weights. Weights that are rounded have to wait for the
    // maximum and for what else they are scaled by: on the way, it would be other numbers that are
    // rounded.
    auto online = findOnlineReduction(group.nests, isPrivate);
    using Sum = OnlineReduction::Sum;
    if (online &&
        llvm::any_of(online->sums,
                     [&](const Sum &sum) { return isContraction(group.nests[sum.nest]); }) &&
        llvm::none_of(online->sums, [](const Sum &sum) { return sum.movesRounding; })) {
      group.online = std::move(online);
      measure();
    }
  }
  llvm::sort(inside, [](auto &a, auto &b) { return a.first > b.first; });
  for (auto &[bytes, value] : inside) {
    if (total <= costs.localBytes)
      group.locals.insert(value);
    else
      total -= bytes;
  }
}

void Grouper::price(Group &group, const SharedLoops &shared) const {
  double operations = 0;
  bool byRows = true; // reductions keep all the loops that they have anyway
  int64_t localBytes = 1;
  llvm::SmallDenseMap<Value, std::pair<int64_t, int64_t>> read; // bytes, tiles with own elements
  int64_t written = 0;
  llvm::SmallDenseSet<Value> computed;
  for (auto [number, nest] : llvm::enumerate(group.nests)) {
    operations += nest.numOperations();
    byRows &= !nest.reduction || nest.numPoints() == shared.points;
    if (group.locals.contains(nest.result))
      localBytes += bytesAtPoint(group, nest, shared);
    else
      written += nest.numPoints() * bytesPerElement(nest.result);
    nest.forEachRead([&, number = number, &nest = nest](const Node &node) {
      if (computed.contains(node.value))
        return;
      int64_t moved = 1;
      for (unsigned loop = 0; loop < nest.domain.numParallel; ++loop)
        if ((shared.loops[number] >> loop & 1) && node.index.isFunctionOfDim(loop))
          moved *= nest.extents()[loop];
      auto &entry = read[node.value];
      entry.first = std::max(entry.first,
                             std::min(node.elements, nest.numPoints() * nest.numReductionPoints()) *
                                 bytesPerElement(node.value));
      entry.second = std::max(entry.second, moved);
    });
    computed.insert(nest.result);
  }
  double perPoint = operations / shared.points;
  double units = costs.parallelUnits;
  if (!byRows || perPoint > costs.rowOperations)
    units = std::min<double>(units, shared.points);
  int64_t tile = std::clamp<int64_t>(costs.localBytes / localBytes, 1, shared.points);
  int64_t tiles = llvm::divideCeil(shared.points, tile);
  double outside = written, again = 0; // bytes, and time for what is read again
  for (auto &[value, entry] : read) {
    outside += entry.first;
    if (group.nests.size() > 1)
      again += entry.first * (double(tiles) / std::min(entry.second, tiles) - 1) /
               (entry.first / std::min(entry.second, tiles) <= costs.cacheBytes
                    ? costs.cacheBytesPerNs * units
                    : costs.memoryBytesPerNs);
  }
  group.outsideBytes = outside;
  group.cost = costs.launchNs + operations / (costs.operationsPerNs * units) +
               outside / costs.memoryBytesPerNs + again;
}

/// The nests of several groups in program order, not aligned yet.
Group Grouper::joined(ArrayRef<unsigned> parts) const {
  SmallVector<std::pair<unsigned, const Nest *>> nests;
  for (unsigned part : parts)
    for (auto [member, nest] : llvm::zip_equal(groups[part].members, groups[part].nests))
      nests.push_back({member, &nest});
  llvm::sort(nests, llvm::less_first());
  Group group;
  for (auto &[member, nest] : nests) {
    group.members.push_back(member);
    group.nests.push_back(*nest);
  }
  return group;
}

/// The nests that read along the rows of which `pivot` is the maximum, the one that computes the
/// rows, and itself; in program order.
SmallVector<unsigned> Grouper::nestsAlongRows(unsigned pivot) const {
  llvm::SmallSetVector<unsigned, 8> set;
  Value score = groups[pivot].nests[0].body.nodes[groups[pivot].nests[0].body.root].value;
  set.insert_range(writers.lookup(score));
  SmallVector<Value> wide = {score};
  while (!wide.empty() && set.size() <= costs.maxNests)
    for (unsigned reader : readers.lookup(wide.pop_back_val()))
      if (set.insert(reader) && !groups[reader].nests[0].reduction)
        wide.push_back(groups[reader].nests[0].result);
  SmallVector<unsigned> sorted = set.takeVector();
  llvm::sort(sorted);
  return sorted;
}

/// Merges softmax and attention over rows that are too long to be kept: at once, since no two of
/// their nests are better together before the last one is there.
void Grouper::mergeLongRows() {
  for (unsigned pivot = 0; pivot < groups.size(); ++pivot) {
    if (groups[pivot].nests.size() != 1)
      continue;
    const Nest &nest = groups[pivot].nests[0];
    if (!nest.reduction || ReduceOp(nest.reduction).getKind() != ReduceKind::max ||
        nest.body.nodes[nest.body.root].kind != Node::Read ||
        2 * nest.numReductionPoints() * bytesPerElement(nest.result) <= costs.localBytes)
      continue;
    SmallVector<unsigned> set = nestsAlongRows(pivot);
    bool separate = set.size() > 1 && set.size() <= costs.maxNests;
    double apart = 0;
    for (unsigned number : set) {
      separate &= groups[number].nests.size() == 1;
      apart += groups[number].cost;
    }
    // Nothing that one of them needs may need another one.
    for (size_t i = 0; separate && i < set.size(); ++i)
      for (size_t j = i + 1; separate && j < set.size(); ++j)
        separate =
            canShareAKernel(groups[set[i]], groups[set[j]]) && !reachesAround(set[i], set[j], set);
    if (!separate)
      continue;
    Group merged = joined(set);
    if (!alignLoops(merged.nests))
      continue;
    SharedLoops shared = findSharedLoops(merged.nests);
    chooseLocals(merged, shared);
    price(merged, shared);
    if (!merged.online || merged.cost >= apart)
      continue;
    unsigned into = set.back();
    groups[into] = std::move(merged);
    for (unsigned number : ArrayRef(set).drop_back())
      replaceGroup(number, into);
  }
}

bool Grouper::tryMerge(unsigned producer, unsigned consumer, std::string &refusal) {
  const Group &a = groups[producer], &b = groups[consumer];
  if (a.nests.size() + b.nests.size() > costs.maxNests)
    return refuse(refusal, "the kernel would compute more than {0} values", costs.maxNests);
  if (!canShareAKernel(a, b))
    return refuse(refusal, "it is a part of a value whose parts are written by several kernels");
  if (reachesAround(producer, consumer))
    return refuse(refusal, "a third kernel stands between the two");
  Group merged = joined({producer, consumer});
  if (!alignLoops(merged.nests))
    return refuse(refusal,
                  "its user does not read it in whole loops (but through a window, a slice "
                  "or another shape), so that it needs what other workgroups compute");
  SharedLoops shared = findSharedLoops(merged.nests);
  chooseLocals(merged, shared);
  price(merged, shared);
  if (merged.cost >= a.cost + b.cost)
    return refuse(refusal,
                  "it would take longer: {0:F0} ns together, where {1} points of the shared loops "
                  "can run in parallel, {2:F0} ns apart",
                  merged.cost, shared.points, a.cost + b.cost);
  // A contraction that reads another one's result wants other tiles than that one. Sharing them is
  // worth it where what passes between the two is most of what they touch, or where both take no
  // longer than it takes to launch them. (Between the contractions of attention there is a softmax,
  // which wants whole rows in one place anyway.)
  bool competes = llvm::any_of(linksOf(merged.nests), [&](const Link &link) {
    return isContraction(merged.nests[link.writer]) && isContraction(merged.nests[link.reader]);
  });
  int64_t passed = (a.outsideBytes + b.outsideBytes - merged.outsideBytes) / 2;
  if (competes && passed <= merged.outsideBytes && merged.cost > 4 * costs.launchNs)
    return refuse(refusal, "both are contractions, and want different tiles");
  groups[consumer] = std::move(merged);
  replaceGroup(producer, consumer);
  return true;
}

void Grouper::replaceGroup(unsigned from, unsigned to) {
  for (unsigned member : groups[from].members)
    groupOf[member] = to;
  groups[from] = {};
}

void Grouper::mergeAlongValues() {
  for (unsigned nest = 0; nest < groupOf.size(); ++nest) {
    llvm::SmallSetVector<unsigned, 4> producers; // nests, in program order
    SmallVector<Value> read;
    for (auto [number, member] : llvm::enumerate(groups[groupOf[nest]].members))
      if (member == nest)
        groups[groupOf[nest]].nests[number].forEachRead(
            [&](const Node &node) { read.push_back(node.value); });
    for (Value value : read)
      for (unsigned writer : writers.lookup(value))
        producers.insert(writer);
    for (unsigned producer : producers)
      if (std::string refusal; groupOf[producer] != groupOf[nest] &&
                               !tryMerge(groupOf[producer], groupOf[nest], refusal) &&
                               costs.remarks)
        refusals[{producer, nest}] = std::move(refusal);
  }
}

/// Says of every value that passes between two kernels why it does.
void Grouper::remarkOnBuffers() const {
  for (const Group &group : groups)
    for (auto [number, nest] : llvm::zip(group.members, group.nests))
      for (unsigned reader : readers.lookup(nest.result)) {
        if (groupOf[reader] == groupOf[number])
          continue;
        auto refusal = refusals.find({number, reader});
        if (refusal != refusals.end())
          remark::missed(nest.result.getLoc(),
                         remark::RemarkOpts::name("Fusion").category("tiny-schedule"))
              << remark::reason("this value is a buffer between two kernels: {0}", refusal->second);
      }
}

/// The groups in an order in which they can be launched: as early in the program as possible.
SmallVector<unsigned> Grouper::launchOrder() const {
  SmallVector<unsigned> waits(groups.size(), 0);
  SmallVector<SmallVector<unsigned, 4>> next(groups.size());
  for (auto [number, group] : llvm::enumerate(groups))
    for (auto [member, nest] : llvm::zip_equal(group.members, group.nests))
      for (unsigned user : usersOf(member, nest))
        if (groupOf[user] != number && !llvm::is_contained(next[number], groupOf[user])) {
          next[number].push_back(groupOf[user]);
          ++waits[groupOf[user]];
        }
  using Entry = std::pair<unsigned, unsigned>; // last nest, group
  auto last = [&](unsigned group) { return *llvm::max_element(groups[group].members); };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> ready;
  for (auto [number, group] : llvm::enumerate(groups))
    if (!group.members.empty() && waits[number] == 0)
      ready.push({last(number), static_cast<unsigned>(number)});
  SmallVector<unsigned> order;
  while (!ready.empty()) {
    unsigned group = ready.top().second;
    ready.pop();
    order.push_back(group);
    for (unsigned reader : next[group])
      if (--waits[reader] == 0)
        ready.push({last(reader), reader});
  }
  return order;
}

/// Groups of one depth do not depend on one another. Those that read the same value, which is not
/// a constant, are one launch: its workgroups are those of both.
void Grouper::mergeSideBySide() {
  SmallVector<unsigned> depth(groups.size(), 0);
  llvm::DenseMap<std::pair<unsigned, Value>, SmallVector<unsigned, 2>> firstWith;
  for (unsigned number : launchOrder()) {
    unsigned into = number;
    SmallVector<Value> inputs;
    for (const Nest &nest : groups[number].nests)
      nest.forEachRead([&](const Node &read) {
        Operation *op = read.value.getDefiningOp();
        if (!op || !isa<ConstantOp>(op))
          inputs.push_back(read.value);
      });
    for (auto [member, nest] : llvm::zip_equal(groups[number].members, groups[number].nests))
      for (unsigned user : usersOf(member, nest))
        if (groupOf[user] != number)
          depth[groupOf[user]] = std::max(depth[groupOf[user]], depth[number] + 1);
    for (Value input : inputs) {
      auto &candidates = firstWith[{depth[number], input}];
      auto *found = llvm::find_if(candidates, [&](unsigned other) {
        return !groups[number].online && canShareAKernel(groups[other], groups[number]);
      });
      if (found == candidates.end())
        continue;
      into = *found;
      break;
    }
    if (into != number) {
      Group &group = groups[into];
      llvm::append_range(group.members, groups[number].members);
      for (Nest &nest : groups[number].nests)
        group.nests.push_back(std::move(nest));
      group.locals.insert(groups[number].locals.begin(), groups[number].locals.end());
      replaceGroup(number, into);
    }
    for (Value input : inputs) {
      auto &candidates = firstWith[{depth[into], input}];
      if (!llvm::is_contained(candidates, into))
        candidates.push_back(into);
    }
  }
}

std::vector<Kernel> Grouper::run() {
  mergeLongRows();
  mergeAlongValues();
  remarkOnBuffers();
  mergeSideBySide();
  std::vector<Kernel> kernels;
  for (unsigned number : launchOrder()) {
    Kernel kernel;
    kernel.nests = std::move(groups[number].nests);
    kernel.locals = std::move(groups[number].locals);
    kernel.online = std::move(groups[number].online);
    if (kernel.online)
      kernel.gatherOnline();
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

std::vector<Kernel> mlir::tiny::groupNests(std::vector<Nest> nests,
                                           const llvm::DenseSet<Value> &escapes,
                                           const GroupingCosts &costs) {
  return Grouper(std::move(nests), escapes, costs).run();
}
