//===- InnerLoops.cpp - the loops of machine code ---------------------------===//
//
// Natural loops of the control flow graph: a branch back to a block that is being
// visited closes one. How often a loop runs is not in the code, so the hottest one
// is taken to be the deepest, and of those the longest.
//
//===----------------------------------------------------------------------===//

#include "Disassembly.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::tiny;
using namespace llvm;

namespace {
/// A run of instructions that is entered at its beginning and left at its end.
struct Block {
  size_t begin = 0, end = 0;
  SmallVector<size_t, 2> successors, predecessors;
};

struct Loop {
  size_t header = 0;
  BitVector blocks;
};
} // namespace

static std::vector<Block> findBlocks(ArrayRef<MachineInstruction> code) {
  std::map<uint64_t, size_t> positions; // of instructions by offset
  for (auto [position, instruction] : enumerate(code))
    positions[instruction.offset] = position;
  // Outside of the kernel, or in the middle of an instruction, there is nothing to follow.
  auto targetOf = [&](const MachineInstruction &instruction) -> std::optional<size_t> {
    auto found = instruction.target ? positions.find(*instruction.target) : positions.end();
    return found == positions.end() ? std::nullopt : std::optional(found->second);
  };

  std::vector<bool> begins(code.size() + 1, false);
  begins[0] = true;
  for (auto [position, instruction] : enumerate(code)) {
    if (std::optional<size_t> target = targetOf(instruction))
      begins[*target] = true;
    if (instruction.target || instruction.ends)
      begins[position + 1] = true;
  }
  std::vector<Block> blocks;
  std::vector<size_t> blockOf(code.size());
  for (size_t position = 0; position < code.size(); ++position) {
    if (begins[position]) {
      blocks.emplace_back();
      blocks.back().begin = position;
    }
    blocks.back().end = position + 1;
    blockOf[position] = blocks.size() - 1;
  }
  for (auto [number, block] : enumerate(blocks)) {
    const MachineInstruction &last = code[block.end - 1];
    if (std::optional<size_t> target = targetOf(last))
      block.successors.push_back(blockOf[*target]);
    if (!last.ends && number + 1 < blocks.size())
      block.successors.push_back(number + 1);
    for (size_t successor : block.successors)
      blocks[successor].predecessors.push_back(number);
  }
  return blocks;
}

/// Adds what reaches `latch` without passing the header, of the blocks that can be `reached`.
static void addBody(ArrayRef<Block> blocks, const BitVector &reached, size_t latch, Loop &loop) {
  SmallVector<size_t> open{latch};
  while (!open.empty()) {
    size_t block = open.pop_back_val();
    if (loop.blocks.test(block) || !reached.test(block))
      continue;
    loop.blocks.set(block);
    open.append(blocks[block].predecessors);
  }
}

/// The loops of what is reached from the first block; those with one header are one.
static std::vector<Loop> findLoops(ArrayRef<Block> blocks) {
  std::vector<Loop> loops;
  if (blocks.empty())
    return loops;
  auto loopAt = [&](size_t header) -> Loop & {
    for (Loop &loop : loops)
      if (loop.header == header)
        return loop;
    loops.push_back({header, BitVector(blocks.size())});
    loops.back().blocks.set(header);
    return loops.back();
  };
  // Depth first, without recursion: a kernel may have any number of blocks.
  BitVector seen(blocks.size()), isOpen(blocks.size());
  SmallVector<std::pair<size_t, size_t>> path{{0, 0}}; // block, its next successor
  seen.set(0);
  isOpen.set(0);
  SmallVector<std::pair<size_t, size_t>> backEdges;
  while (!path.empty()) {
    auto &[block, next] = path.back();
    if (next == blocks[block].successors.size()) {
      isOpen.reset(block);
      path.pop_back();
      continue;
    }
    size_t successor = blocks[block].successors[next++];
    if (isOpen.test(successor))
      backEdges.push_back({block, successor});
    if (seen.test(successor))
      continue;
    seen.set(successor);
    isOpen.set(successor);
    path.push_back({successor, 0});
  }
  for (auto [latch, header] : backEdges)
    addBody(blocks, seen, latch, loopAt(header));
  return loops;
}

std::vector<InnerLoop> mlir::tiny::findInnerLoops(ArrayRef<MachineInstruction> code) {
  std::vector<Block> blocks = findBlocks(code);
  std::vector<Loop> loops = findLoops(blocks);
  std::vector<InnerLoop> result;
  for (const Loop &loop : loops) {
    InnerLoop inner;
    bool hasInner = false;
    for (const Loop &other : loops)
      if (&other != &loop) {
        hasInner |= loop.blocks.test(other.header);
        inner.depth += other.blocks.test(loop.header);
      }
    if (hasInner)
      continue;
    inner.offset = code[blocks[loop.header].begin].offset;
    // As the code lies in memory, but from the header on: that is the order of an iteration, or
    // nearly so where the loop has branches.
    SmallVector<const MachineInstruction *> body;
    auto append = [&](const Block &block) {
      for (size_t position = block.begin; position < block.end; ++position)
        body.push_back(&code[position]);
    };
    for (size_t number : loop.blocks.set_bits())
      if (number >= loop.header)
        append(blocks[number]);
    for (size_t number : loop.blocks.set_bits())
      if (number < loop.header)
        append(blocks[number]);
    mlir::tiny::count(body, inner.mix);
    result.push_back(std::move(inner));
  }
  llvm::sort(result, [](const InnerLoop &a, const InnerLoop &b) {
    return std::tuple(a.depth, a.mix.all(), b.offset) > std::tuple(b.depth, b.mix.all(), a.offset);
  });
  return result;
}
