//===- Updates.h - values that take over the buffer of another --*- C++ -*-===//

#ifndef TINY_SCHEDULE_UPDATES_H
#define TINY_SCHEDULE_UPDATES_H

#include "Nest.h"

namespace mlir::tiny {

/// The value of which `nest` does nothing but move each element to where it is already: in a buffer
/// of that value, there is nothing to do. Null if it does something else.
Value keptBy(const Nest &nest);

/// `nest` as a nest that computes the new elements only, where it chooses between them and an old
/// value by comparing positions with numbers that data decides: `where(iota == y, new, old)`. The
/// loop over the positions is gone; Nest::updates is the old value, whose buffer it needs.
std::optional<Nest> asGuardedStore(const Nest &nest);

/// Whether `nest`, which writes into a buffer of `old`, reads no element of `old` but the one that
/// it writes at the same point.
bool readsOnlyOwnPlace(const Nest &nest, Value old);

} // namespace mlir::tiny

#endif // TINY_SCHEDULE_UPDATES_H
