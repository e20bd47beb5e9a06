//===- OnnxModel.h - a parsed ONNX file and its tensors ---------*- C++ -*-===//
//
// Owns what the weights of an imported program point into: the protobuf and the
// external data files. Blobs share that ownership, so they outlive the importer.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_LIB_FRONTEND_ONNXMODEL_H
#define TINY_LIB_FRONTEND_ONNXMODEL_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"

#include <onnx/onnx_pb.h>

namespace mlir::tiny {

class OnnxModel {
public:
  /// Parses and checks everything that is not the graph. Null after an error.
  static std::unique_ptr<OnnxModel> parse(llvm::MemoryBufferRef buffer, MLIRContext *context);

  const onnx::GraphProto &graph() const { return proto->graph(); }
  MLIRContext *context() const { return loc.getContext(); }
  StringRef path() const { return file; }

  /// The version of an operator set that the model imports; 0 when it does not. The default domain
  /// is written "".
  int64_t opset(StringRef domain) const;

  InFlightDiagnostic error() const { return emitError(loc); }
  InFlightDiagnostic warning() const { return emitWarning(loc); }
  Location location() const { return loc; }
  /// A location inside the file that carries the name of a node or a value.
  Location named(StringRef name) const;

  /// The contents of a tensor. Everything above kilobyte size is a blob that points into the
  /// protobuf or the external file. `what` begins the error messages.
  FailureOr<ElementsAttr> tensor(const onnx::TensorProto &tensor, const Twine &what);

private:
  OnnxModel(Location loc, StringRef file) : loc(loc), file(file) {}

  /// Bytes of a tensor wherever the file keeps them, with what keeps them alive. `copy` receives
  /// the bytes of the typed fields, which are not laid out as memory is.
  struct Bytes {
    ArrayRef<char> data;
    std::shared_ptr<const void> owner;
  };
  FailureOr<Bytes> bytes(const onnx::TensorProto &tensor, RankedTensorType type, const Twine &what);
  FailureOr<Bytes> externalBytes(const onnx::TensorProto &tensor, size_t size, const Twine &what);

  Location loc;
  std::string file;
  std::shared_ptr<onnx::ModelProto> proto;
  llvm::StringMap<std::shared_ptr<llvm::MemoryBuffer>> externalFiles;
};

/// "FLOAT", "INT64", …; the number for one that this schema does not know.
std::string onnxTypeName(int32_t dataType);

/// The element type of an ONNX data type; null when Tiny has none.
Type onnxElementType(int32_t dataType, MLIRContext *context);

/// The tensor type, or a sentence on why there is none: a negative dim, or more elements than can
/// be addressed.
FailureOr<RankedTensorType> tensorType(ArrayRef<int64_t> shape, Type elementType,
                                       std::string &whyNot);

} // namespace mlir::tiny

#endif // TINY_LIB_FRONTEND_ONNXMODEL_H
