//===- TensorFile.h - tensors in files --------------------------*- C++ -*-===//
//
// NumPy's .npy and ONNX's TensorProto .pb, the two formats in which test vectors
// come. Both readers are our own: small, without a dependency, and never past
// the end of the bytes, whatever the bytes say.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUNTIME_TENSORFILE_H
#define TINY_RUNTIME_TENSORFILE_H

#include "Tiny/Runtime/Tensor.h"

#include <string_view>

namespace tinyrt {

/// Reads a tensor: .npy if the file begins like one, else a TensorProto. False, with the reason
/// (which names the file) in `error`.
bool readTensor(const std::string &path, Tensor &tensor, std::string &error);

/// Writes a tensor in the format that the suffix names, .npy or .pb. The file appears with all its
/// content or not at all.
bool writeTensor(const std::string &path, const Tensor &tensor, const std::string &name,
                 std::string &error);

/// True if `path` ends in ".npy" or ".pb".
bool isTensorPath(std::string_view path);

/// NumPy format versions 1 to 3, C or Fortran order, either byte order. NumPy has no bfloat16: it
/// is the opaque two-byte type "V2" there, as the ml_dtypes package writes it.
bool parseNpy(std::string_view bytes, Tensor &tensor, std::string &error);
std::string formatNpy(const Tensor &tensor);

/// An onnx.TensorProto with its data in the message.
bool parseTensorProto(std::string_view bytes, Tensor &tensor, std::string &error);
std::string formatTensorProto(const Tensor &tensor, std::string_view name);

/// All bytes of a regular file or a pipe.
bool readFile(const std::string &path, std::string &bytes, std::string &error);

/// Writes to a temporary file beside `path` and renames it, so that nobody ever sees half of it.
/// What is there and is no regular file (/dev/stdout, say) is written to directly.
bool writeFile(const std::string &path, std::string_view bytes, std::string &error);

} // namespace tinyrt

#endif // TINY_RUNTIME_TENSORFILE_H
