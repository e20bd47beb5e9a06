//===- Emit.h - groups as assembly text --------------------------*- C++ -*-===//
//
// See Suite.h for the registers that a group's text may rely on.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_TEST_SIM_EMIT_H
#define TINY_TEST_SIM_EMIT_H

#include "Suite.h"

namespace simtest {

/// One assembly file with a kernel per group; the groups share a wave size.
std::string emit(const std::vector<const Group *> &groups);

} // namespace simtest

#endif // TINY_TEST_SIM_EMIT_H
