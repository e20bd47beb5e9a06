//===- Kernel.cpp - what a kernel leaves behind, and its name -------------===//

#include "Kernel.h"

#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::tiny;

SmallVector<const Nest *> Kernel::results() const {
  SmallVector<const Nest *> result;
  for (const Nest &nest : nests)
    if (!isLocal(nest))
      result.push_back(&nest);
  return result;
}

void Kernel::gatherOnline() {
  SmallVector<unsigned> order = *orderAround(*online, nests), place(nests.size());
  std::vector<Nest> ordered;
  for (unsigned number : order) {
    place[number] = ordered.size();
    ordered.push_back(std::move(nests[number]));
  }
  nests = std::move(ordered);
  online->pivot = place[online->pivot];
  for (unsigned &weight : online->weights)
    weight = place[weight];
  for (OnlineReduction::Sum &sum : online->sums)
    sum.nest = place[sum.nest];
}

/// The name of what several nests make together, where it has one.
static std::string nameTogether(ArrayRef<Nest> nests) {
  unsigned maxima = 0, sums = 0, contractions = 0;
  bool exponential = false, root = false;
  for (const Nest &nest : nests) {
    if (nest.reduction) {
      std::string name = nest.name();
      contractions += StringRef(name).starts_with("matmul");
      maxima += StringRef(name).starts_with("reduce_max");
      sums += StringRef(name).starts_with("reduce_add");
    }
    for (const KernelGraph *graph : {&nest.body, &nest.epilogue})
      for (const Node &node : graph->nodes) {
        exponential |= node.kind == Node::Compute && isa<Exp2Op>(node.op);
        root |= node.kind == Node::Compute && isa<SqrtOp>(node.op);
      }
  }
  if (maxima == 1 && exponential && sums <= 1 && contractions != 1)
    return contractions ? "attention" : "softmax";
  if (sums && root && !maxima && !contractions)
    return sums > 1 ? "norm" : "rms_norm";
  return {};
}

std::string Kernel::name() const {
  SmallVector<std::string> names =
      llvm::map_to_vector(nests, [](const Nest &nest) { return nest.name(); });
  std::string text = nests.size() > 1 ? nameTogether(nests) : names.front();
  if (text.empty()) {
    // The reductions say most; elementwise nests only where there is nothing else.
    llvm::StringSet<> seen;
    bool reduces = llvm::any_of(nests, [](const Nest &nest) { return bool(nest.reduction); });
    for (auto [name, nest] : llvm::zip(names, nests))
      if ((nest.reduction || !reduces) && seen.size() < 3 && seen.insert(name).second)
        text += (text.empty() ? "" : "_") + name;
  }
  const Nest &last = nests.back();
  return text + "_" + shapeName(last.box.sizes);
}
