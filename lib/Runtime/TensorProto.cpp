//===- TensorProto.cpp - ONNX's TensorProto files -------------------------===//
//
// A protobuf message is a list of (number, wire type, value). A reader of one
// message type needs a page, where the library would bring a dependency into
// programs that embed the Runtime.
//   https://protobuf.dev/programming-guides/encoding/
//   https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (message TensorProto)
//
//===----------------------------------------------------------------------===//

#include "TensorBytes.h"

#include "Tiny/Runtime/TensorFile.h"

#include <cstring>

using namespace tinyrt;

namespace {
enum Wire : uint32_t { kVarint = 0, k64Bit = 1, kBytes = 2, k32Bit = 5 };

/// The fields of TensorProto by number.
enum Field : uint32_t {
  kDims = 1,
  kDataType = 2,
  kSegment = 3,
  kFloatData = 4,
  kInt32Data = 5,
  kStringData = 6,
  kInt64Data = 7,
  kName = 8,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11,
  kExternalData = 13,
  kDataLocation = 14,
};

/// Takes values from the front of some bytes. All return false at the end or at what is no value.
struct WireReader {
  std::string_view bytes;

  bool varint(uint64_t &value) {
    value = 0;
    for (int shift = 0; shift < 70 && !bytes.empty(); shift += 7) {
      uint64_t byte = static_cast<unsigned char>(bytes[0]);
      bytes.remove_prefix(1);
      if (shift < 64)
        value |= (byte & 127) << shift;
      if (byte < 128)
        return true;
    }
    return false;
  }
  bool fixed(size_t size, std::string_view &value) {
    if (bytes.size() < size)
      return false;
    value = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
  }
  bool lengthAndBytes(std::string_view &value) {
    uint64_t length;
    return varint(length) && length <= bytes.size() && fixed(length, value);
  }
};

/// One field of a message: `number` holds a varint, `data` anything else.
struct FieldValue {
  uint32_t field, wire;
  uint64_t number = 0;
  std::string_view data;
};

/// What was found in a message. The elements of the typed fields are collected as little-endian
/// bytes, 4 or 8 for one.
struct Message {
  std::vector<int64_t> dims;
  uint64_t dataType = 0;
  bool hasRaw = false, hasSegment = false, hasExternal = false;
  std::string_view raw;
  std::string floats, int32s, int64s, doubles, uint64s;
};

struct DataType {
  uint64_t number;
  ElementType type;
  /// The typed field that holds such elements, and the bytes of one in it.
  std::string Message::*field;
  size_t size;
};
} // namespace

static const DataType kDataTypes[] = {
    {1, ElementType::f32, &Message::floats, 4},    {2, ElementType::ui8, &Message::int32s, 4},
    {3, ElementType::i8, &Message::int32s, 4},     {4, ElementType::ui16, &Message::int32s, 4},
    {5, ElementType::i16, &Message::int32s, 4},    {6, ElementType::i32, &Message::int32s, 4},
    {7, ElementType::i64, &Message::int64s, 8},    {9, ElementType::i1, &Message::int32s, 4},
    {10, ElementType::f16, &Message::int32s, 4},   {11, ElementType::f64, &Message::doubles, 8},
    {12, ElementType::ui32, &Message::uint64s, 8}, {13, ElementType::ui64, &Message::uint64s, 8},
    {16, ElementType::bf16, &Message::int32s, 4},
};

static bool nextField(WireReader &reader, FieldValue &value) {
  uint64_t tag;
  if (!reader.varint(tag) || tag >> 32 || tag >> 3 == 0)
    return false;
  value.field = static_cast<uint32_t>(tag >> 3);
  value.wire = tag & 7;
  switch (value.wire) {
  case kVarint:
    return reader.varint(value.number);
  case k64Bit:
    return reader.fixed(8, value.data);
  case kBytes:
    return reader.lengthAndBytes(value.data);
  case k32Bit:
    return reader.fixed(4, value.data);
  default:
    return false; // groups are not used in ONNX
  }
}

/// A repeated integer, packed or one by one: appends each as `size` little-endian bytes.
static bool appendVarints(const FieldValue &value, size_t size, std::string &bytes) {
  auto append = [&](uint64_t number) {
    for (size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(number >> (8 * i));
  };
  if (value.wire == kVarint) {
    append(value.number);
    return true;
  }
  WireReader reader = {value.data};
  while (value.wire == kBytes && !reader.bytes.empty()) {
    uint64_t number;
    if (!reader.varint(number))
      return false;
    append(number);
  }
  return value.wire == kBytes;
}

/// A repeated float or double, packed or one by one.
static bool appendFixed(const FieldValue &value, size_t size, std::string &bytes) {
  uint32_t single = size == 4 ? k32Bit : k64Bit;
  if ((value.wire != single && value.wire != kBytes) || value.data.size() % size != 0)
    return false;
  bytes += value.data;
  return true;
}

static bool readField(const FieldValue &value, Message &message) {
  switch (value.field) {
  case kDims: {
    std::string dims;
    if (!appendVarints(value, 8, dims))
      return false;
    for (size_t i = 0; i < dims.size(); i += 8) {
      int64_t dim;
      std::memcpy(&dim, &dims[i], 8);
      message.dims.push_back(dim);
    }
    return true;
  }
  case kDataType:
    message.dataType = value.number;
    return value.wire == kVarint;
  case kFloatData:
    return appendFixed(value, 4, message.floats);
  case kDoubleData:
    return appendFixed(value, 8, message.doubles);
  case kInt32Data:
    return appendVarints(value, 4, message.int32s);
  case kInt64Data:
    return appendVarints(value, 8, message.int64s);
  case kUint64Data:
    return appendVarints(value, 8, message.uint64s);
  case kRawData:
    message.hasRaw = true;
    message.raw = value.data;
    return value.wire == kBytes;
  case kSegment:
    message.hasSegment = true;
    return value.wire == kBytes;
  case kExternalData:
    message.hasExternal = true;
    return value.wire == kBytes;
  case kDataLocation:
    message.hasExternal |= value.number != 0;
    return value.wire == kVarint;
  case kName:
  case kStringData:
    return value.wire == kBytes;
  default:
    return true; // documentation, metadata, and what later versions may add
  }
}

bool tinyrt::parseTensorProto(std::string_view bytes, Tensor &tensor, std::string &error) {
  Message message;
  WireReader reader = {bytes};
  while (!reader.bytes.empty()) {
    FieldValue value;
    size_t position = bytes.size() - reader.bytes.size();
    if (!nextField(reader, value) || !readField(value, message)) {
      error = "not an ONNX TensorProto, or a truncated one: no field can be read at byte " +
              std::to_string(position);
      return false;
    }
  }
  const DataType *found = nullptr;
  for (const DataType &candidate : kDataTypes)
    if (candidate.number == message.dataType)
      found = &candidate;
  if (!found) {
    error = message.dataType ? "the ONNX data type " + std::to_string(message.dataType) +
                                   " is none that a tensor can have"
                             : "not an ONNX TensorProto: it has no data type";
    return false;
  }
  if (message.hasExternal || message.hasSegment) {
    error = "the TensorProto has its data elsewhere, which is not supported";
    return false;
  }

  TensorType type = {found->type, std::move(message.dims)};
  if (message.hasRaw) {
    if (!allocateFor(type, message.raw.size(), "TensorProto", tensor, error))
      return false;
    if (!message.raw.empty())
      std::memcpy(tensor.data(), message.raw.data(), message.raw.size());
  } else {
    // The low bytes of each number of the typed field are the element.
    const std::string &numbers = message.*found->field;
    size_t size = byteSize(type.element);
    if (!allocateFor(type, numbers.size() / found->size * size, "TensorProto", tensor, error))
      return false;
    for (int64_t i = 0, count = type.numElements(); i < count; ++i)
      std::memcpy(tensor.as<char>() + i * size, &numbers[i * found->size], size);
  }
  normalizeBool(tensor);
  return true;
}

static void appendVarint(uint64_t value, std::string &bytes) {
  for (; value >= 128; value >>= 7)
    bytes += static_cast<char>(value | 128);
  bytes += static_cast<char>(value);
}

static void appendBytes(Field field, std::string_view data, std::string &bytes) {
  appendVarint(field << 3 | kBytes, bytes);
  appendVarint(data.size(), bytes);
  bytes += data;
}

std::string tinyrt::formatTensorProto(const Tensor &tensor, std::string_view name) {
  std::string bytes, dims;
  for (int64_t size : tensor.type().shape)
    appendVarint(static_cast<uint64_t>(size), dims);
  if (!dims.empty())
    appendBytes(kDims, dims, bytes);
  for (const DataType &type : kDataTypes)
    if (type.type == tensor.type().element) {
      appendVarint(kDataType << 3 | kVarint, bytes);
      appendVarint(type.number, bytes);
    }
  if (!name.empty())
    appendBytes(kName, name, bytes);
  appendBytes(kRawData, {tensor.as<char>(), tensor.bytes()}, bytes);
  return bytes;
}
