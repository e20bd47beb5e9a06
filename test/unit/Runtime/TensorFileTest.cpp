//===- TensorFileTest.cpp - tensors survive files, bad files do not hurt --===//

#include "Tiny/Runtime/TensorFile.h"
#include "Tiny/Runtime/Element.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

using namespace tinyrt;

static const ElementType kTypes[] = {
    ElementType::f64,  ElementType::f32,  ElementType::f16, ElementType::bf16, ElementType::i1,
    ElementType::i8,   ElementType::i16,  ElementType::i32, ElementType::i64,  ElementType::ui8,
    ElementType::ui16, ElementType::ui32, ElementType::ui64};
static const std::vector<int64_t> kShapes[] = {{}, {1}, {5}, {2, 3}, {0}, {3, 0, 2}, {2, 1, 3, 2}};

static std::string bytesOf(const Tensor &tensor) { return {tensor.as<char>(), tensor.bytes()}; }

namespace {
/// A folder that goes away with the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/tiny-runtime-test-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() {
    for (const std::string &name : list())
      std::remove((path + "/" + name).c_str());
    rmdir(path.c_str());
  }
  std::vector<std::string> list() const {
    std::vector<std::string> names;
    DIR *folder = opendir(path.c_str());
    while (dirent *entry = readdir(folder))
      if (entry->d_name[0] != '.')
        names.push_back(entry->d_name);
    closedir(folder);
    return names;
  }
  std::string path;
};
} // namespace

TEST(TensorFile, EveryTypeAndShapeComesBack) {
  Folder folder;
  for (const char *suffix : {".npy", ".pb"})
    for (ElementType type : kTypes)
      for (const std::vector<int64_t> &shape : kShapes) {
        Tensor tensor({type, shape});
        fillRandom(tensor, 7, 3);
        std::string path = folder.path + "/x" + suffix, error;
        ASSERT_TRUE(writeTensor(path, tensor, "x", error)) << error;
        Tensor back;
        ASSERT_TRUE(readTensor(path, back, error)) << error;
        EXPECT_EQ(back.type(), tensor.type()) << tensor.type().str() << suffix;
        EXPECT_EQ(bytesOf(back), bytesOf(tensor)) << tensor.type().str() << suffix;
      }
}

/// An .npy file by hand.
static std::string npy(const std::string &header, const std::string &data, int major = 1) {
  std::string bytes = std::string("\x93NUMPY", 6) + static_cast<char>(major) + '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

static std::string npyError(const std::string &bytes) {
  Tensor tensor;
  std::string error;
  EXPECT_EQ(parseNpy(bytes, tensor, error), error.empty());
  return error;
}

TEST(TensorFile, NpyLayouts) {
  Tensor tensor;
  std::string error;
  std::string data("\0\1\0\2\0\3\0\4\0\5\0\6", 12);
  for (int major : {1, 2, 3}) {
    ASSERT_TRUE(parseNpy(
        npy("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }   \n", data, major), tensor,
        error))
        << error;
    EXPECT_EQ(tensor.type().str(), "tensor<2x3xi16>");
    const int16_t expected[] = {1, 3, 5, 2, 4, 6};
    EXPECT_EQ(std::memcmp(tensor.data(), expected, sizeof(expected)), 0);
  }
  ASSERT_TRUE(parseNpy(npy("{\"shape\":(),\"descr\":\"|b1\",\"fortran_order\":False}", "\5"),
                       tensor, error))
      << error;
  EXPECT_EQ(tensor.type().str(), "tensor<i1>");
  EXPECT_EQ(tensor.as<uint8_t>()[0], 1) << "any byte but 0 is true";
}

TEST(TensorFile, BadNpyIsRefused) {
  auto expect = [](const std::string &bytes, const char *phrase) {
    std::string error = npyError(bytes);
    EXPECT_NE(error.find(phrase), std::string::npos) << "got '" << error << "'";
  };
  const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  expect("", "not a .npy file");
  expect(std::string("\x93NUMPY\1", 7), "ends in the header");
  expect(npy(good, "abcd").substr(0, 30), "ends in the header");
  expect(npy(good, "abcd", 4), "version 4");
  expect(npy(good, "abc"), "truncated .npy file: tensor<1xf32> needs 4 bytes of data");
  expect(npy(good, "abcde"), "and there are 5");
  expect(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", ""), "'<c8'");
  expect(npy("{'descr': 'O', 'fortran_order': False, 'shape': (1,), }", ""), "'O'");
  expect(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", ""), "malformed");
  expect(npy("{'descr': '<f4', 'fortran_order': False}", ""), "malformed .npy header");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", ""), "malformed");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", ""),
         "larger than any memory");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", ""),
         "malformed");
  expect(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}", ""),
         "needs 4398046511104 bytes");
}

/// Field `number` with a packed list or other bytes, all shorter than 128.
static std::string field(int number, const std::string &data) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(data.size()) + data;
}
static std::string dataType(int type) { return std::string("\x10") + static_cast<char>(type); }

TEST(TensorFile, TypedFieldsOfTensorProto) {
  Tensor tensor;
  std::string error;
  auto parse = [&](const std::string &bytes) {
    bool ok = parseTensorProto(bytes, tensor, error);
    EXPECT_TRUE(ok) << error;
    return ok;
  };
  float numbers[] = {1.5f, -2};
  std::string floats(reinterpret_cast<char *>(numbers), 8);
  ASSERT_TRUE(parse(field(1, "\2") + dataType(1) + field(4, floats)));
  EXPECT_EQ(tensor.as<float>()[1], -2);
  // One by one, and the shape after the data.
  ASSERT_TRUE(
      parse(dataType(1) + "\x25" + floats.substr(0, 4) + "\x25" + floats.substr(4) + "\x08\2"));
  EXPECT_EQ(tensor.type().str(), "tensor<2xf32>");
  EXPECT_EQ(tensor.as<float>()[0], 1.5f);
  // int32_data holds the bits of f16 and bf16; -1 is ten bytes long.
  ASSERT_TRUE(parse(field(1, "\2") + dataType(10) + field(5, std::string("\x80\x78\0", 3))));
  EXPECT_EQ(tensor.as<uint16_t>()[0], 0x3c00);
  ASSERT_TRUE(parse(dataType(3) + field(5, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
  EXPECT_EQ(tensor.as<int8_t>()[0], -1);
  ASSERT_TRUE(parse(dataType(9) + field(5, "\7")));
  EXPECT_EQ(tensor.as<uint8_t>()[0], 1);
  ASSERT_TRUE(parse(dataType(12) + field(11, "\7")));
  EXPECT_EQ(tensor.as<uint32_t>()[0], 7u);
  ASSERT_TRUE(parse(field(8, "name") + field(12, "doc") + dataType(2) + field(9, "x")));
  EXPECT_EQ(tensor.as<uint8_t>()[0], 'x');
}

TEST(TensorFile, BadTensorProtoIsRefused) {
  auto expect = [](const std::string &bytes, const char *phrase) {
    Tensor tensor;
    std::string error;
    EXPECT_FALSE(parseTensorProto(bytes, tensor, error));
    EXPECT_NE(error.find(phrase), std::string::npos) << "got '" << error << "'";
  };
  expect("", "no data type");
  expect("hello", "not an ONNX TensorProto");
  expect(dataType(8) + field(6, "text"), "data type 8");
  expect(dataType(14), "data type 14");
  expect(dataType(1) + field(9, "abc"), "tensor<f32> needs 4 bytes of data, and there are 3");
  expect(dataType(1) + field(4, "abc"), "no field can be read");
  expect(field(1, "\3") + dataType(7) + field(7, "\1\2"), "truncated");
  expect(dataType(1) + field(13, "") + field(9, "abcd"), "elsewhere");
  expect(field(1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") + dataType(1), "negative");
  expect(dataType(1) + "\x4a\x7f", "no field can be read at byte 2");
}

TEST(TensorFile, CorruptedBytesNeverHurt) {
  Tensor tensor({ElementType::f16, {2, 3}});
  fillRandom(tensor, 1, 1);
  std::mt19937 random(2);
  for (const std::string &original : {formatNpy(tensor), formatTensorProto(tensor, "x")}) {
    for (size_t size = 0; size < original.size(); ++size) {
      // A copy of its own size, so that a sanitizer sees the end.
      std::vector<char> part(original.begin(), original.begin() + size);
      Tensor back;
      std::string error;
      EXPECT_FALSE(parseNpy({part.data(), size}, back, error)) << size;
      EXPECT_FALSE(parseTensorProto({part.data(), size}, back, error)) << size;
    }
    for (int round = 0; round < 20000; ++round) {
      std::vector<char> bytes(original.begin(), original.end());
      for (int flips = 1 + random() % 3; flips > 0; --flips)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      Tensor back;
      std::string error;
      if (parseNpy({bytes.data(), bytes.size()}, back, error))
        EXPECT_LE(back.bytes(), bytes.size());
      if (parseTensorProto({bytes.data(), bytes.size()}, back, error))
        EXPECT_LE(back.bytes(), bytes.size());
    }
  }
}

TEST(File, NothingIsLeftBehind) {
  Folder folder;
  std::string error, bytes;
  EXPECT_FALSE(readFile(folder.path + "/none", bytes, error));
  EXPECT_NE(error.find("No such file"), std::string::npos) << error;
  EXPECT_FALSE(readFile(folder.path, bytes, error)) << "a folder";
  EXPECT_FALSE(readFile("/dev/zero", bytes, error)) << "has no end";
  EXPECT_FALSE(writeFile(folder.path + "/no/such/folder", "x", error));
  EXPECT_FALSE(writeFile("/dev/full", "x", error));
  EXPECT_NE(error.find("No space left"), std::string::npos) << error;

  std::string path = folder.path + "/file";
  ASSERT_TRUE(writeFile(path, "first", error)) << error;
  ASSERT_TRUE(writeFile(path, "second", error)) << error;
  ASSERT_TRUE(readFile(path, bytes, error)) << error;
  EXPECT_EQ(bytes, "second");
  ASSERT_EQ(symlink(path.c_str(), (folder.path + "/link").c_str()), 0);
  ASSERT_TRUE(writeFile(folder.path + "/link", "third", error)) << error;
  ASSERT_TRUE(readFile(path, bytes, error)) << error;
  EXPECT_EQ(bytes, "third") << "a link is followed, not replaced";
  EXPECT_EQ(folder.list().size(), 2u) << "no temporary file is left";
}
