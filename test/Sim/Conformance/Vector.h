//===- Vector.h - lane operations and the forms that encode them -*- C++ -*-===//
//
// One row per lane operation: its types and what it computes. The forms (e32, e64 with
// modifiers, DPP, DPP8, scalar and literal sources, halves of registers, partial EXEC)
// are generated from the row, so that every operation is tried in every encoding it has.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_VECTOR_H
#define TINY_TEST_SIM_VECTOR_H

#include "Float.h"
#include "Suite.h"

#include <utility>

namespace simtest {

/// The sources of an operation, as raw bits, and what it may want to say about them.
struct Lane {
  uint64_t s[3];
  mutable bool skip = false; ///< any result is right
  float f(int i) const { return asF(uint32_t(s[i])); }
  double d(int i) const { return asD(s[i]); }
  double h(int i) const { return asH(uint32_t(s[i])); }
  uint32_t u(int i) const { return uint32_t(s[i]); }
  int32_t i(int i) const { return int32_t(s[i]); }
  uint16_t w(int i) const { return uint16_t(s[i]); }
  int16_t t(int i) const { return int16_t(s[i]); }
  uint64_t any() const {
    skip = true;
    return 0;
  }
};

enum : unsigned {
  kNoDpp = 1,      ///< no DPP forms
  kAccumulate = 2, ///< the destination is the last source
  kNoSources = 4,  ///< no modifiers on the sources
  kNoClamp = 8,
  kNoE64 = 16,
  kNoConstants = 32,
};

struct Op {
  const char *name;  ///< as the assembler spells it
  int kind;          ///< 1, 2: VOP1, VOP2 (with e32); 3: VOP3 only
  const char *types; ///< destination, colon, sources; see sample()
  uint64_t (*compute)(const Lane &);
  unsigned flags = 0;
  double ulps = 0;
};

/// Whether and how a DPP control moves lanes: the source lane, or -1 if it is outside.
struct DppControl {
  const char *text;
  int (*source)(int lane);
};
extern const DppControl kDppControls[];
extern const unsigned kDppControlCount;

unsigned typeBits(char type);
Match matchOf(char type);
/// The register text of input `slot` (v10, v12...) for a type; `half` for 16-bit types.
std::string registerText(char type, unsigned number, bool high = false);
/// The value of an input slot in a lane.
uint64_t slotValue(const Wave &wave, unsigned lane, unsigned slot, char type, bool high = false);
/// Fills the inputs of `group` with samples of the types of slots 0-3 (two words each).
void fillSlots(Group &group, const std::string &types);

void addForms(Suite &suite, const Op &op, unsigned wave);
extern const std::vector<Op> kAluOps; // AluOps.cpp
extern const std::vector<Op> kIntOps; // IntOps.cpp

} // namespace simtest

#endif // TINY_TEST_SIM_VECTOR_H
