//===- Vector.cpp - the families of the vector ALU --------------------------===//
//
// Registers what the other Vector*.cpp files implement.
//
//===----------------------------------------------------------------------===//

#include "HandlerTable.h"
#include "Lanes.h"

namespace tinysim {

namespace {
struct Move {
  template <unsigned N> TINYSIM_INLINE static void run(Wave &wave, const Instruction &i) {
    lanes<N>(wave, i.dst[0], i.src[0], [](uint32_t a) TINYSIM_LAMBDA { return a; });
  }
};
} // namespace

void registerVector(HandlerTable &table) { table.add<Move>("V_MOV_B32"); }

} // namespace tinysim
