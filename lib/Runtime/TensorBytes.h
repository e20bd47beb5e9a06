//===- TensorBytes.h - what the tensor readers share ------------*- C++ -*-===//

#ifndef TINY_LIB_RUNTIME_TENSORBYTES_H
#define TINY_LIB_RUNTIME_TENSORBYTES_H

#include "Tiny/Runtime/Tensor.h"

namespace tinyrt {

/// Allocates `tensor` if `type` has just the size of the `available` bytes of data. The sizes are
/// compared before anything is allocated: a few bytes of header may claim any shape.
bool allocateFor(const TensorType &type, size_t available, const char *what, Tensor &tensor,
                 std::string &error);

/// Turns each element from one byte order to the other.
void reverseBytes(Tensor &tensor);

/// Other programs write any byte that is not 0 for true; kernels rely on 1.
void normalizeBool(Tensor &tensor);

} // namespace tinyrt

#endif // TINY_LIB_RUNTIME_TENSORBYTES_H
