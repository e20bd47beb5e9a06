//===- Npy.cpp - NumPy's .npy files ---------------------------------------===//
//
// A magic number, a version, the length of a header, the header (a Python
// dictionary with the type, the order and the shape), and the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
//===----------------------------------------------------------------------===//

#include "TensorBytes.h"

#include "Tiny/Runtime/TensorFile.h"

#include <cctype>
#include <cstring>

using namespace tinyrt;

static constexpr std::string_view kMagic("\x93NUMPY", 6);

namespace {
/// Reads the dictionary of the header. Only what NumPy writes is accepted: three known keys, a
/// string, a truth value and a tuple of integers.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;

  bool parse() {
    bool haveDescr = false, haveOrder = false, haveShape = false;
    if (!eat('{'))
      return false;
    while (!eat('}')) {
      std::string key;
      if (!string(key) || !eat(':'))
        return false;
      bool ok = false;
      if (key == "descr")
        ok = haveDescr = string(descr);
      else if (key == "fortran_order")
        ok = haveOrder = truth(fortran);
      else if (key == "shape")
        ok = haveShape = tuple();
      if (!ok)
        return false;
      if (!eat(',') && peek() != '}')
        return false;
    }
    return peek() == 0 && haveDescr && haveOrder && haveShape;
  }

private:
  /// The next character that is no white space; 0 at the end.
  char peek() {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text[0])))
      text.remove_prefix(1);
    return text.empty() ? 0 : text[0];
  }
  bool eat(char c) {
    if (peek() != c)
      return false;
    text.remove_prefix(1);
    return true;
  }
  bool eat(std::string_view word) {
    peek();
    if (text.substr(0, word.size()) != word)
      return false;
    text.remove_prefix(word.size());
    return true;
  }
  bool string(std::string &value) {
    char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    size_t end = text.find(quote, 1);
    if (end == text.npos)
      return false;
    value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return true;
  }
  bool truth(bool &value) {
    value = eat("True");
    return value || eat("False");
  }
  bool tuple() {
    shape.clear();
    if (!eat('('))
      return false;
    while (!eat(')')) {
      if (!std::isdigit(static_cast<unsigned char>(peek())))
        return false;
      int64_t size = 0;
      while (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0]))) {
        if (size > (INT64_MAX - 9) / 10)
          return false;
        size = size * 10 + (text[0] - '0');
        text.remove_prefix(1);
      }
      eat('L'); // Python 2
      shape.push_back(size);
      if (!eat(',') && peek() != ')')
        return false;
    }
    return true;
  }

  std::string_view text;
};

struct Descr {
  const char *text;
  ElementType type;
};
} // namespace

/// NumPy's names without the byte order.
static constexpr Descr kDescrs[] = {
    {"f8", ElementType::f64},  {"f4", ElementType::f32},  {"f2", ElementType::f16},
    {"V2", ElementType::bf16}, {"b1", ElementType::i1},   {"i1", ElementType::i8},
    {"i2", ElementType::i16},  {"i4", ElementType::i32},  {"i8", ElementType::i64},
    {"u1", ElementType::ui8},  {"u2", ElementType::ui16}, {"u4", ElementType::ui32},
    {"u8", ElementType::ui64},
};

/// Column-major elements to row-major ones.
static void transpose(const TensorType &type, const char *from, char *to) {
  size_t size = byteSize(type.element);
  size_t rank = type.shape.size();
  std::vector<int64_t> index(rank, 0), step(rank, 1);
  for (size_t d = 1; d < rank; ++d)
    step[d] = step[d - 1] * type.shape[d - 1];
  int64_t at = 0;
  for (int64_t i = 0, count = type.numElements(); i < count; ++i) {
    std::memcpy(to + i * size, from + at * size, size);
    for (size_t d = rank; d-- > 0;) {
      at += step[d];
      if (++index[d] < type.shape[d])
        break;
      at -= index[d] * step[d];
      index[d] = 0;
    }
  }
}

bool tinyrt::parseNpy(std::string_view bytes, Tensor &tensor, std::string &error) {
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    error = "not a .npy file";
    return false;
  }
  if (bytes.size() < 10) {
    error = "truncated .npy file: it ends in the header";
    return false;
  }
  int major = static_cast<unsigned char>(bytes[6]);
  if (major < 1 || major > 3) {
    error = "unknown .npy format version " + std::to_string(major);
    return false;
  }
  size_t lengthBytes = major == 1 ? 2 : 4;
  size_t begin = 8 + lengthBytes;
  uint64_t length = 0;
  if (bytes.size() >= begin)
    for (size_t i = 0; i < lengthBytes; ++i)
      length |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  if (bytes.size() < begin || bytes.size() - begin < length) {
    error = "truncated .npy file: it ends in the header";
    return false;
  }
  HeaderParser header(bytes.substr(begin, length));
  if (!header.parse()) {
    error = "malformed .npy header";
    return false;
  }
  char order = header.descr.empty() ? 0 : header.descr[0];
  std::string_view descr = header.descr;
  bool known = order == '<' || order == '>' || order == '|' || order == '=';
  const Descr *found = nullptr;
  for (const Descr &candidate : kDescrs)
    if (known && descr.substr(1) == candidate.text)
      found = &candidate;
  if (!found) {
    error = "the NumPy type '" + header.descr + "' is none that a tensor can have";
    return false;
  }

  TensorType type = {found->type, std::move(header.shape)};
  std::string_view data = bytes.substr(begin + length);
  if (!allocateFor(type, data.size(), ".npy file", tensor, error))
    return false;
  if (header.fortran)
    transpose(type, data.data(), tensor.as<char>());
  else if (!data.empty())
    std::memcpy(tensor.data(), data.data(), data.size());
  if (order == '>')
    reverseBytes(tensor);
  normalizeBool(tensor);
  return true;
}

std::string tinyrt::formatNpy(const Tensor &tensor) {
  const TensorType &type = tensor.type();
  std::string header = "{'descr': '";
  for (const Descr &descr : kDescrs)
    if (descr.type == type.element)
      header += (byteSize(type.element) == 1 ? "|" : "<") + std::string(descr.text);
  header += "', 'fortran_order': False, 'shape': (";
  for (int64_t size : type.shape)
    header += std::to_string(size) + (type.shape.size() == 1 ? "," : ", ");
  if (type.shape.size() > 1)
    header.resize(header.size() - 2);
  header += "), }";
  // Ends in a newline, and the elements begin at a multiple of 64.
  size_t lengthBytes = header.size() + 1 > UINT16_MAX - 64 ? 4 : 2;
  size_t begin = kMagic.size() + 2 + lengthBytes;
  header.resize((begin + header.size() + 1 + 63) / 64 * 64 - begin, ' ');
  header.back() = '\n';

  std::string bytes(kMagic);
  bytes += lengthBytes == 4 ? '\2' : '\1';
  bytes += '\0';
  for (size_t i = 0; i < lengthBytes; ++i)
    bytes += static_cast<char>(header.size() >> (8 * i));
  bytes += header;
  bytes.append(tensor.as<char>(), tensor.bytes());
  return bytes;
}
