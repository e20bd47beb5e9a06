//===- HandlerTable.h - from LLVM's opcode names to handlers ----*- C++ -*-===//
//
// Opcode numbers are private to LLVM's AMDGPU backend, names are not: every family of instructions
// registers its handlers by name once, and the translator looks them up once per instruction.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_SIM_HANDLERTABLE_H
#define TINY_LIB_SIM_HANDLERTABLE_H

#include "Wave.h"
#include "llvm/ADT/StringMap.h"

namespace tinysim {

/// True where the host has AVX2, FMA and F16C (x86-64-v3).
bool hostHasVectors();

namespace detail {
template <class Body, unsigned N> void runBaseline(Wave &wave, const Instruction &instruction) {
  Body::template run<N>(wave, instruction);
}
#if defined(__x86_64__)
template <class Body, unsigned N>
[[gnu::target("arch=x86-64-v3")]] void runVectors(Wave &wave, const Instruction &instruction) {
  Body::template run<N>(wave, instruction);
}
#endif
} // namespace detail

/// The best version of a body for this host.
template <class Body, unsigned N> Handler handlerOf() {
#if defined(__x86_64__)
  if (hostHasVectors())
    return &detail::runVectors<Body, N>;
#endif
  return &detail::runBaseline<Body, N>;
}
template <class Body> Handler handlerOf(unsigned waveSize) {
  return waveSize == 64 ? handlerOf<Body, 64>() : handlerOf<Body, 32>();
}

class HandlerTable {
public:
  /// Chooses the handler of a translated instruction (all fields are final but `tag`, which it may
  /// set). Null: this form of the instruction is not implemented.
  using Selector = Handler (*)(Instruction &, unsigned waveSize);

  /// `Body` for both wave sizes.
  template <class Body> void add(llvm::StringRef name) {
    addSelector(name, [](Instruction &, unsigned waveSize) { return handlerOf<Body>(waveSize); });
  }
  /// One function for both, as scalar instructions are.
  void addHandler(llvm::StringRef name, Handler handler) { entries[name] = {nullptr, handler, 0}; }
  /// The same, with a value for Instruction::tag.
  void addHandler(llvm::StringRef name, Handler handler, uint32_t tag) {
    entries[name] = {nullptr, handler, tag};
  }
  void addSelector(llvm::StringRef name, Selector selector) {
    entries[name] = {selector, nullptr, 0};
  }
  void addSelector(llvm::StringRef name, Selector selector, uint32_t tag) {
    entries[name] = {selector, nullptr, tag};
  }

  bool contains(llvm::StringRef name) const { return entries.count(name); }

  /// Sets `execute` (and `tag`); false where nothing is registered for `instruction.name`.
  bool bind(Instruction &instruction, unsigned waveSize) const;

  /// Everything the simulator implements.
  static const HandlerTable &get();

private:
  struct Entry {
    Selector selector = nullptr;
    Handler handler = nullptr;
    uint32_t tag = 0;
  };
  llvm::StringMap<Entry> entries;
};

// One function per family; HandlerTable::get calls them all.
void registerScalar(HandlerTable &table);       // SOP1, SOP2, SOPC, SOPK
void registerProgram(HandlerTable &table);      // SOPP: branches, waits, barriers, messages, traps
void registerScalarMemory(HandlerTable &table); // SMEM
void registerVectorMemory(HandlerTable &table); // FLAT, GLOBAL, SCRATCH
void registerBuffers(HandlerTable &table);      // MUBUF without formats
void registerFormattedBuffers(HandlerTable &table); // MUBUF with formats, MTBUF
void registerLds(HandlerTable &table);              // DS
void registerVector(HandlerTable &table); // VOP1, VOP2, VOP3, VOP3P, VOPC, VOPD, DPP, WMMA

} // namespace tinysim

#endif // TINY_LIB_SIM_HANDLERTABLE_H
