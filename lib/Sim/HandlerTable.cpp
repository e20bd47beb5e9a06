//===- HandlerTable.cpp - the list of families ------------------------------===//
//
// The table is made once per process, when the first instruction is translated.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"

namespace tinysim {

bool hostHasVectors() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("x86-64-v3");
  return has;
#else
  return false;
#endif
}

bool HandlerTable::bind(Instruction &instruction, unsigned waveSize) const {
  auto entry = entries.find(instruction.name);
  if (entry == entries.end())
    return false;
  instruction.tag = entry->second.tag;
  instruction.execute = entry->second.selector ? entry->second.selector(instruction, waveSize)
                                               : entry->second.handler;
  return instruction.execute != nullptr;
}

const HandlerTable &HandlerTable::get() {
  static const HandlerTable table = [] {
    HandlerTable result;
    registerScalar(result);
    registerProgram(result);
    registerScalarMemory(result);
    registerVectorMemory(result);
    registerBuffers(result);
    registerFormattedBuffers(result);
    registerLds(result);
    registerVector(result);
    return result;
  }();
  return table;
}

} // namespace tinysim
