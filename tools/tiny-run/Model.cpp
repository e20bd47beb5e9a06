//===- Model.cpp - the program that tiny-run runs -------------------------===//

#include "Model.h"

#include "Tiny/Frontend/ImportOnnx.h"
#include "Tiny/IR/Nesting.h"
#include "Tiny/IR/TinyDialect.h"
#include "Tiny/Runtime/TensorFile.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>

using namespace mlir;
using namespace tinyrun;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static bool isBytecode(StringRef bytes) { return bytes.starts_with("ML\xefR"); }

/// A ModelProto without its suffix: begins with the IR version (field 1, a small number), and is no
/// text.
static bool looksLikeOnnx(StringRef bytes) {
  return bytes.size() > 2 && bytes[0] == 8 && bytes[1] > 0 && bytes[1] < 32;
}

static bool readMlir(const std::string &path, StringRef bytes, MLIRContext &context,
                     llvm::SourceMgr &sources, Model &model, std::string &error) {
  if (StringRef(path).ends_with(".mlirbc") && !isBytecode(bytes)) {
    error = "'" + path + "' is not MLIR bytecode";
    return false;
  }
  if (auto fault = mlir::tiny::checkNesting(bytes, path)) {
    error = *fault;
    return false;
  }
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(bytes, path), llvm::SMLoc());
  model.module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  return static_cast<bool>(model.module);
}

static bool readOnnx(const Options &options, StringRef bytes, MLIRContext &context, Model &model) {
  mlir::tiny::ImportOnnxOptions import;
  import.entry = options.entry;
  for (const auto &[name, size] : options.dims)
    import.dims[name] = size;
  for (const auto &[name, number] : options.fixed)
    import.fixed[name] = number;
  model.isOnnx = true;
  model.module =
      mlir::tiny::importOnnx(llvm::MemoryBufferRef(bytes, options.model), import, &context);
  return static_cast<bool>(model.module);
}

//===----------------------------------------------------------------------===//
// The entry
//===----------------------------------------------------------------------===//

static std::optional<tinyrt::ElementType> elementType(Type type) {
  using E = tinyrt::ElementType;
  if (type.isF64())
    return E::f64;
  if (type.isF32())
    return E::f32;
  if (type.isF16())
    return E::f16;
  if (type.isBF16())
    return E::bf16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.isSigned())
    return std::nullopt;
  switch (integer.getWidth()) {
  case 1:
    return integer.isUnsigned() ? std::nullopt : std::optional<E>(E::i1);
  case 8:
    return integer.isUnsigned() ? E::ui8 : E::i8;
  case 16:
    return integer.isUnsigned() ? E::ui16 : E::i16;
  case 32:
    return integer.isUnsigned() ? E::ui32 : E::i32;
  case 64:
    return integer.isUnsigned() ? E::ui64 : E::i64;
  }
  return std::nullopt;
}

static bool makePort(func::FuncOp entry, Type type, Attribute name, const std::string &otherName,
                     std::vector<Port> &ports) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<tinyrt::ElementType> element;
  if (tensor && tensor.hasStaticShape() && !tensor.getEncoding())
    element = elementType(tensor.getElementType());
  if (!element) {
    entry.emitOpError() << "has " << otherName << " of type " << type
                        << "; to be run, all must be statically shaped tensors of f64 f32 f16 bf16 "
                           "i1 i8 i16 i32 i64 ui8 ui16 ui32 or ui64";
    return false;
  }
  auto text = dyn_cast_or_null<StringAttr>(name);
  ports.push_back(
      {text && !text.empty() ? text.str() : otherName, {*element, tensor.getShape().vec()}, false});
  return true;
}

static bool findEntry(const Options &options, Model &model, std::string &error) {
  model.entry = model.module->lookupSymbol<func::FuncOp>(options.entry);
  if (!model.entry || model.entry.isExternal()) {
    error = "'" + options.model + "' has no function '" + options.entry + "' to run";
    std::string others;
    for (auto function : model.module->getOps<func::FuncOp>())
      if (!function.isExternal())
        others += (others.empty() ? "" : ", ") + function.getName().str();
    error += others.empty() ? "" : "; --entry can be " + others;
    return false;
  }
  func::FuncOp entry = model.entry;
  if (!entry.getBody().hasOneBlock()) {
    entry.emitOpError("has more than one block; a tensor program is a straight line");
    return false;
  }
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (!makePort(entry, type, entry.getArgAttr(i, "tiny.name"), "arg" + std::to_string(i),
                  model.inputs))
      return false;
  for (const std::string &name : options.donated) {
    size_t position = 0;
    bool isPosition = !StringRef(name).getAsInteger(10, position);
    auto found = llvm::find_if(model.inputs, [&](const Port &port) { return port.name == name; });
    if (found != model.inputs.end())
      position = found - model.inputs.begin();
    else if (!isPosition || position >= model.inputs.size()) {
      error = "--donate: the program has no input '" + name + "'";
      return false;
    }
    entry.setArgAttr(position, mlir::tiny::kDonatedAttrName, UnitAttr::get(entry.getContext()));
  }
  for (auto [i, port] : llvm::enumerate(model.inputs))
    port.donated = bool(entry.getArgAttr(i, mlir::tiny::kDonatedAttrName));
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes()))
    if (!makePort(entry, type, entry.getResultAttr(i, "tiny.name"), "result" + std::to_string(i),
                  model.outputs))
      return false;
  return true;
}

bool tinyrun::loadModel(const Options &options, MLIRContext &context, llvm::SourceMgr &sources,
                        Model &model, std::string &error) {
  auto start = std::chrono::steady_clock::now();
  bool isStdin = options.model == "-";
  // A file is mapped: its weights are copied by whoever parses it, and once is enough. What cannot
  // be mapped is read, or readFile says why not.
  std::unique_ptr<llvm::MemoryBuffer> mapped;
  if (!isStdin && llvm::sys::fs::is_regular_file(options.model))
    if (auto opened = llvm::MemoryBuffer::getFile(options.model, /*IsText=*/false,
                                                  /*RequiresNullTerminator=*/false))
      mapped = std::move(*opened);
  std::string read;
  if (!mapped && !tinyrt::readFile(isStdin ? "/dev/stdin" : options.model, read, error))
    return false;
  StringRef bytes = mapped ? mapped->getBuffer() : StringRef(read);
  bool isOnnx =
      StringRef(options.model).ends_with(".onnx") ||
      (!StringRef(options.model).ends_with(".mlir") && !isBytecode(bytes) && looksLikeOnnx(bytes));
  if (!isOnnx && !options.fixed.empty()) {
    error =
        "--fix is for ONNX models: make the argument of '" + options.model + "' a tiny.constant";
    return false;
  }
  if (!isOnnx && !options.dims.empty()) {
    error = "--dim is for ONNX models: the shapes of '" + options.model + "' are in its types";
    return false;
  }
  bool ok =
      isOnnx ? readOnnx(options, bytes, context, model)
             : readMlir(isStdin ? "<stdin>" : options.model, bytes, context, sources, model, error);
  ok = ok && findEntry(options, model, error);
  model.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return ok;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static void addTo(uint64_t &bytes, uint64_t more) {
  bytes = more > UINT64_MAX - bytes ? UINT64_MAX : bytes + more;
}

/// Bytes of a tensor whose sizes may multiply to more than any number holds.
static uint64_t bytesOf(ArrayRef<int64_t> shape, uint64_t elementBytes) {
  uint64_t bytes = elementBytes;
  for (int64_t size : shape) {
    if (size == 0)
      return 0;
    bytes = bytes > UINT64_MAX / size ? UINT64_MAX : bytes * size;
  }
  return bytes;
}

uint64_t tinyrun::bytesOf(const std::vector<Port> &ports) {
  uint64_t bytes = 0;
  for (const Port &port : ports)
    addTo(bytes, ::bytesOf(port.type.shape, byteSize(port.type.element)));
  return bytes;
}

uint64_t tinyrun::leastMemoryOfReference(const Model &model) {
  uint64_t bytes = bytesOf(model.inputs), largest = 0;
  addTo(bytes, bytesOf(model.outputs));
  func::FuncOp entry = model.entry;
  for (Operation &op : entry.getBody().front()) {
    if (!isa<mlir::tiny::ConstantOp, mlir::tiny::ReduceOp>(op))
      continue;
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    uint64_t size =
        ::bytesOf(type.getShape(), (type.getElementType().getIntOrFloatBitWidth() + 7) / 8);
    if (isa<mlir::tiny::ReduceOp>(op))
      largest = std::max(largest, size);
    else if (!cast<mlir::tiny::ConstantOp>(op).getValue().isSplat())
      addTo(bytes, size);
  }
  addTo(bytes, largest);
  return bytes;
}
