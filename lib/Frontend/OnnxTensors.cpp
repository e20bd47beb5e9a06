//===- OnnxTensors.cpp - the contents of ONNX tensors ---------------------===//
//
// Weights become dense_resource blobs that point into the protobuf or into the
// mapped external file. They are copied where that cannot be: in the typed fields
// (float_data, …), whose elements protobuf may hold wider than memory does, and
// where bytes are not aligned for their element type.
//
//===----------------------------------------------------------------------===//

#include "OnnxModel.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::tiny;

static_assert(llvm::endianness::native == llvm::endianness::little,
              "raw_data is little-endian and is used as it is");

/// Larger tensors are blobs: attributes are uniqued, which means hashed and copied.
static constexpr size_t kMaxInlineBytes = 1024;

/// Bytes of one element in raw_data, where a bool takes one.
static size_t elementBytes(Type type) { return (type.getIntOrFloatBitWidth() + 7) / 8; }

/// Writes `values` as elements of type To; false when one does not fit.
template <typename To, typename Values>
static bool store(const Values &values, std::vector<char> &out) {
  out.resize(values.size() * sizeof(To));
  char *cursor = out.data();
  for (auto value : values) {
    To element = static_cast<To>(value);
    if (static_cast<decltype(value)>(element) != value && value == value)
      return false;
    memcpy(cursor, &element, sizeof(To));
    cursor += sizeof(To);
  }
  return true;
}

/// Writes the typed field that belongs to the tensor's data type. False when a value does not fit
/// the type. `count` receives the number of elements the field has.
static bool storeTypedField(const onnx::TensorProto &t, std::vector<char> &out, size_t &count) {
  using T = onnx::TensorProto;
  switch (t.data_type()) {
  case T::FLOAT:
    count = t.float_data_size();
    return store<float>(t.float_data(), out);
  case T::DOUBLE:
    count = t.double_data_size();
    return store<double>(t.double_data(), out);
  case T::INT64:
    count = t.int64_data_size();
    return store<int64_t>(t.int64_data(), out);
  case T::UINT64:
    count = t.uint64_data_size();
    return store<uint64_t>(t.uint64_data(), out);
  case T::UINT32:
    count = t.uint64_data_size();
    return store<uint32_t>(t.uint64_data(), out);
  default:
    count = t.int32_data_size();
    break;
  }
  switch (t.data_type()) {
  case T::INT32:
    return store<int32_t>(t.int32_data(), out);
  case T::INT16:
    return store<int16_t>(t.int32_data(), out);
  case T::INT8:
    return store<int8_t>(t.int32_data(), out);
  case T::UINT8:
  case T::BOOL:
    return store<uint8_t>(t.int32_data(), out);
  default: // uint16, and the bit patterns of f16 and bf16
    return store<uint16_t>(t.int32_data(), out);
  }
}

FailureOr<OnnxModel::Bytes> OnnxModel::externalBytes(const onnx::TensorProto &tensor, size_t size,
                                                     const Twine &what) {
  std::string location;
  uint64_t offset = 0, length = size;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    bool isNumber = true;
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      isNumber = !StringRef(entry.value()).getAsInteger(10, offset);
    else if (entry.key() == "length")
      isNumber = !StringRef(entry.value()).getAsInteger(10, length);
    if (!isNumber)
      return error() << what << ": the " << entry.key() << " of its external data is '"
                     << entry.value() << "', expected a number of bytes";
  }
  if (length != size)
    return error() << what << " needs " << size << " bytes, but its external data is said to have "
                   << length;
  // The path comes from whoever made the model: nothing outside the model's own folder is read,
  // neither by `..` nor through a link.
  bool climbs = llvm::is_contained(
      llvm::make_range(llvm::sys::path::begin(location), llvm::sys::path::end(location)), "..");
  if (location.empty() || climbs || llvm::sys::path::is_absolute(location) ||
      StringRef(location).contains('\0'))
    return error() << what << ": the location of its external data is '" << location
                   << "', expected a relative path inside the model's folder";
  SmallString<128> folder(llvm::sys::path::parent_path(file)), realFolder, realFile;
  if (folder.empty())
    folder = ".";
  SmallString<128> path(folder);
  llvm::sys::path::append(path, location);
  std::error_code failed = llvm::sys::fs::real_path(folder, realFolder);
  if (!failed)
    failed = llvm::sys::fs::real_path(path, realFile);
  if (failed)
    return error() << what << ": cannot read its external data '" << path
                   << "': " << failed.message();
  if (realFolder != "/")
    realFolder += "/";
  if (!realFile.str().starts_with(realFolder))
    return error() << what << ": its external data '" << path
                   << "' leads out of the model's folder";

  std::shared_ptr<llvm::MemoryBuffer> &buffer = externalFiles[realFile];
  if (!buffer) {
    auto opened = llvm::MemoryBuffer::getFile(realFile, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened)
      return error() << what << ": cannot read its external data '" << path
                     << "': " << opened.getError().message();
    buffer = std::move(*opened);
  }
  if (offset > buffer->getBufferSize() || size > buffer->getBufferSize() - offset)
    return error() << what << " needs " << size << " bytes at offset " << offset << " of '" << path
                   << "', which has " << buffer->getBufferSize();
  return Bytes{ArrayRef<char>(buffer->getBufferStart() + offset, size), buffer};
}

FailureOr<OnnxModel::Bytes> OnnxModel::bytes(const onnx::TensorProto &tensor, RankedTensorType type,
                                             const Twine &what) {
  size_t size = type.getNumElements() * elementBytes(type.getElementType());
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL)
    return externalBytes(tensor, size, what);
  if (tensor.has_raw_data()) {
    const std::string &raw = tensor.raw_data();
    if (raw.size() != size)
      return error() << what << " is a " << type << " of " << size << " bytes, but its data has "
                     << raw.size();
    return Bytes{ArrayRef<char>(raw.data(), raw.size()), proto};
  }
  auto copy = std::make_shared<std::vector<char>>();
  size_t count = 0;
  if (!storeTypedField(tensor, *copy, count))
    return error() << what << " has a value that does not fit its type "
                   << onnxTypeName(tensor.data_type());
  if (count != static_cast<size_t>(type.getNumElements()))
    return error() << what << " is a " << type << " of " << type.getNumElements()
                   << " elements, but its data has " << count;
  return Bytes{ArrayRef<char>(copy->data(), copy->size()), copy};
}

FailureOr<ElementsAttr> OnnxModel::tensor(const onnx::TensorProto &tensor, const Twine &what) {
  Type elementType = onnxElementType(tensor.data_type(), context());
  if (!elementType)
    return error() << what << " has element type " << onnxTypeName(tensor.data_type())
                   << ", which Tiny does not have";
  if (tensor.has_segment())
    return error() << what << " is stored in segments, which is not supported";
  std::string whyNot;
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  FailureOr<RankedTensorType> type = tensorType(shape, elementType, whyNot);
  if (failed(type))
    return error() << what << ": " << whyNot;
  FailureOr<Bytes> bytes = this->bytes(tensor, *type, what);
  if (failed(bytes))
    return failure();

  ArrayRef<char> data = bytes->data;
  if (elementType.isInteger(1)) { // in IR a bit, in the file a byte
    SmallVector<bool> bits;
    for (char byte : data) {
      if (byte != 0 && byte != 1)
        return error() << what << " has a BOOL that is neither 0 nor 1";
      bits.push_back(byte);
    }
    return ElementsAttr(DenseElementsAttr::get(*type, bits));
  }
  if (data.size() <= kMaxInlineBytes)
    return ElementsAttr(DenseElementsAttr::getFromRawBuffer(*type, data));
  size_t alignment = elementBytes(elementType);
  AsmResourceBlob blob;
  if (reinterpret_cast<uintptr_t>(data.data()) % alignment)
    blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(data, alignment, /*dataIsMutable=*/false);
  else
    blob = UnmanagedAsmResourceBlob::allocateWithAlign(
        data, alignment, [owner = bytes->owner](void *, size_t, size_t) {},
        /*dataIsMutable=*/false);
  return ElementsAttr(DenseResourceElementsAttr::get(
      *type, tensor.name().empty() ? "constant" : tensor.name(), std::move(blob)));
}
