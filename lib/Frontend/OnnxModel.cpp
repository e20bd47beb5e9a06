//===- OnnxModel.cpp - parse an ONNX file ---------------------------------===//
//
// Protobuf accepts almost any bytes, an empty file among them, so a file is only
// taken for a model when it has what the format requires: a version, an operator
// set and a graph.
//
//===----------------------------------------------------------------------===//

#include "OnnxModel.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <google/protobuf/stubs/logging.h>

using namespace mlir;
using namespace mlir::tiny;

/// The newest operator set whose changes were considered when the op tables were written.
static constexpr int64_t kNewestOpset = 24;

static StringRef canonicalDomain(StringRef domain) { return domain == "ai.onnx" ? "" : domain; }

std::unique_ptr<OnnxModel> OnnxModel::parse(llvm::MemoryBufferRef buffer, MLIRContext *context) {
  StringRef file = buffer.getBufferIdentifier();
  std::unique_ptr<OnnxModel> model(new OnnxModel(FileLineColLoc::get(context, file, 0, 0), file));
  if (buffer.getBufferSize() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    model->error() << "the file has " << buffer.getBufferSize()
                   << " bytes, and protobuf ends at 2 GB: keep the weights in external data";
    return nullptr;
  }
  // Protobuf would add its own lines to stderr; one clear message is enough.
  google::protobuf::LogHandler *previous = google::protobuf::SetLogHandler(nullptr);
  auto proto = std::make_shared<onnx::ModelProto>();
  bool parsed = proto->ParseFromArray(buffer.getBufferStart(), buffer.getBufferSize());
  google::protobuf::SetLogHandler(previous);
  if (!parsed) {
    model->error() << "not an ONNX model, or a damaged one: its protobuf does not parse";
    return nullptr;
  }
  model->proto = std::move(proto);
  const onnx::ModelProto &p = *model->proto;
  if (!p.has_ir_version() || !p.has_graph()) {
    model->error() << "not an ONNX model, or a truncated one: it has no "
                   << (p.has_ir_version() ? "graph" : "IR version");
    return nullptr;
  }
  if (p.ir_version() < 1) {
    model->error() << "IR version " << p.ir_version() << " is not one that ONNX ever had";
    return nullptr;
  }
  constexpr int64_t schema = onnx::IR_VERSION;
  if (p.ir_version() > schema)
    model->warning() << "IR version " << p.ir_version() << " is newer than the schema of this "
                     << "importer (" << schema << "): fields it does not know are ignored";
  llvm::StringMap<int64_t> seen;
  for (const onnx::OperatorSetIdProto &set : p.opset_import()) {
    auto [it, isNew] = seen.try_emplace(canonicalDomain(set.domain()), set.version());
    if (!isNew && it->second != set.version()) {
      model->error() << "operator set '" << set.domain() << "' is imported twice, with versions "
                     << it->second << " and " << set.version();
      return nullptr;
    }
  }
  if (p.opset_import().empty()) {
    // The first versions of the format had no operator sets.
    InFlightDiagnostic diag = model->error() << "the model imports no operator set";
    if (p.ir_version() < 3)
      diag << ": IR version " << p.ir_version() << " is too old, 3 is the first with them";
    return nullptr;
  }
  int64_t opset = model->opset("");
  if (opset > kNewestOpset)
    model->warning() << "operator set " << opset << " is newer than this importer (" << kNewestOpset
                     << "): its operators are read as they were in " << kNewestOpset;
  if (p.training_info_size())
    model->warning() << "the training graphs of the model are ignored";
  if (p.graph().sparse_initializer_size()) {
    model->error() << "sparse initialisers are not supported (the model has "
                   << p.graph().sparse_initializer_size() << ")";
    return nullptr;
  }
  return model;
}

int64_t OnnxModel::opset(StringRef domain) const {
  for (const onnx::OperatorSetIdProto &set : proto->opset_import())
    if (canonicalDomain(set.domain()) == canonicalDomain(domain))
      return set.version();
  return 0;
}

Location OnnxModel::named(StringRef name) const {
  return NameLoc::get(StringAttr::get(context(), name), loc);
}

std::string mlir::tiny::onnxTypeName(int32_t dataType) {
  if (onnx::TensorProto::DataType_IsValid(dataType))
    return onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(dataType));
  return "number " + std::to_string(dataType);
}

Type mlir::tiny::onnxElementType(int32_t dataType, MLIRContext *context) {
  Builder b(context);
  switch (dataType) {
  case onnx::TensorProto::DOUBLE:
    return b.getF64Type();
  case onnx::TensorProto::FLOAT:
    return b.getF32Type();
  case onnx::TensorProto::FLOAT16:
    return b.getF16Type();
  case onnx::TensorProto::BFLOAT16:
    return b.getBF16Type();
  case onnx::TensorProto::BOOL:
    return b.getI1Type();
  case onnx::TensorProto::INT8:
    return b.getI8Type();
  case onnx::TensorProto::INT16:
    return b.getI16Type();
  case onnx::TensorProto::INT32:
    return b.getI32Type();
  case onnx::TensorProto::INT64:
    return b.getI64Type();
  case onnx::TensorProto::UINT8:
    return b.getIntegerType(8, /*isSigned=*/false);
  case onnx::TensorProto::UINT16:
    return b.getIntegerType(16, false);
  case onnx::TensorProto::UINT32:
    return b.getIntegerType(32, false);
  case onnx::TensorProto::UINT64:
    return b.getIntegerType(64, false);
  default:
    return {};
  }
}

FailureOr<RankedTensorType> mlir::tiny::tensorType(ArrayRef<int64_t> shape, Type elementType,
                                                   std::string &whyNot) {
  // No address space is larger, and eight-byte elements still count without overflow.
  constexpr int64_t kMaxElements = int64_t(1) << 48;
  int64_t count = 1;
  bool empty = llvm::is_contained(shape, 0);
  for (int64_t size : shape) {
    if (size < 0) {
      whyNot = "dimension " + std::to_string(size) + " is negative";
      return failure();
    }
    if (size > kMaxElements || (!empty && llvm::MulOverflow(count, size, count)) ||
        count > kMaxElements) {
      whyNot = "the dimensions overflow: a tensor has at most 2^48 elements";
      return failure();
    }
  }
  return RankedTensorType::get(shape, elementType);
}
