//===- tiny-translate.cpp - between model files, MLIR text and bytecode ---===//
//
// The translations are registered as upstream's are; the driver is our own
// because upstream's empties the output file before it knows whether there will
// be any output. Here the file appears complete or not at all.
//
//===----------------------------------------------------------------------===//

#include "Tiny/Frontend/ImportOnnx.h"
#include "Tiny/IR/Nesting.h"
#include "Tiny/IR/TinyDialect.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllTranslations.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::opt<std::string> inputFile(cl::Positional, cl::desc("<input file>"), cl::init("-"));
static cl::opt<std::string> outputFile("o", cl::desc("Output file (default: standard output)"),
                                       cl::value_desc("file"), cl::init("-"));
static cl::opt<bool> emitBytecode("emit-bytecode", cl::desc("Write MLIR as bytecode"));
static cl::list<std::string> dims("dim",
                                  cl::desc("Size of an open dim of the model, by its name or as "
                                           "input[axis] (default: 1)"),
                                  cl::value_desc("name=size"));
static cl::list<std::string> fixed("fix",
                                   cl::desc("An input of the model that always is this number, "
                                            "and so no argument of the program"),
                                   cl::value_desc("name=number"));
static cl::opt<bool> roundHalf("round-half",
                               cl::desc("Round f16 and bf16 after every node of the model"));
static cl::opt<std::string> entry("entry", cl::desc("Name of the imported function"),
                                  cl::value_desc("name"), cl::init("main"));

static LogicalResult write(Operation *op, llvm::raw_ostream &os) {
  if (emitBytecode)
    return writeBytecodeToFile(op, os);
  op->print(os);
  os << '\n';
  return success();
}

static LogicalResult importOnnx(const std::shared_ptr<llvm::SourceMgr> &sources,
                                llvm::raw_ostream &os, MLIRContext *context) {
  tiny::ImportOnnxOptions options;
  options.entry = entry;
  options.roundHalf = roundHalf;
  for (StringRef dim : dims) {
    auto [name, size] = dim.rsplit('=');
    int64_t number;
    if (name.empty() || size.getAsInteger(10, number))
      return emitError(UnknownLoc::get(context))
             << "--dim '" << dim << "' is not of the form name=size";
    if (!options.dims.try_emplace(name, number).second)
      return emitError(UnknownLoc::get(context)) << "--dim '" << name << "' is given twice";
  }
  for (StringRef fix : fixed) {
    auto [name, number] = fix.rsplit('=');
    if (name.empty() || number.empty())
      return emitError(UnknownLoc::get(context))
             << "--fix '" << fix << "' is not of the form name=number";
    if (!options.fixed.try_emplace(name, number).second)
      return emitError(UnknownLoc::get(context)) << "--fix '" << name << "' is given twice";
  }
  llvm::MemoryBufferRef buffer = *sources->getMemoryBuffer(sources->getMainFileID());
  OwningOpRef<ModuleOp> module = tiny::importOnnx(buffer, options, context);
  return module ? write(*module, os) : failure();
}

static LogicalResult copyMlir(const std::shared_ptr<llvm::SourceMgr> &sources,
                              llvm::raw_ostream &os, MLIRContext *context) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<tiny::TinyDialect>();
  context->appendDialectRegistry(registry);
  llvm::StringRef text = sources->getMemoryBuffer(sources->getMainFileID())->getBuffer();
  if (auto fault = tiny::checkNesting(text, inputFile)) {
    llvm::errs() << "tiny-translate: error: " << *fault << '\n';
    return failure();
  }
  OwningOpRef<Operation *> op = parseSourceFile(sources, ParserConfig(context));
  return op ? write(*op, os) : failure();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  registerAllTranslations();
  TranslateRegistration onnx("import-onnx", "Import an ONNX model as a tiny program", importOnnx);
  TranslateRegistration bytecode("mlir-to-bytecode", "Write MLIR text or bytecode as bytecode",
                                 [](const std::shared_ptr<llvm::SourceMgr> &sources,
                                    llvm::raw_ostream &os, MLIRContext *context) {
                                   emitBytecode = true;
                                   return copyMlir(sources, os, context);
                                 });
  TranslateRegistration text("mlir-to-mlir",
                             "Write MLIR text or bytecode as text, or as "
                             "bytecode with --emit-bytecode",
                             copyMlir);
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerTranslationCLOptions();
  cl::opt<const Translation *, false, TranslationParser> translation(
      "", cl::desc("Translation to perform")); // cl::Required would complain once per name
  cl::ParseCommandLineOptions(
      argc, argv,
      "Tiny translation driver\n\n"
      "  tiny-translate --import-onnx --dim batch=1 model.onnx -o model.mlir\n"
      "  tiny-translate --import-onnx --emit-bytecode model.onnx -o model.mlirbc\n"
      "  tiny-translate --mlir-to-mlir model.mlirbc\n");

  if (!translation.getValue()) {
    llvm::errs() << "tiny-translate: no translation is given, as --import-onnx; see --help\n";
    return 1;
  }
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(inputFile);
  if (!file) {
    llvm::errs() << "tiny-translate: cannot read '" << inputFile
                 << "': " << file.getError().message() << '\n';
    return 1;
  }
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(*file), llvm::SMLoc());
  MLIRContext context;
  SourceMgrDiagnosticHandler handler(*sources, &context);
  bool reported = false;
  llvm::Error error = llvm::writeToOutput(outputFile, [&](llvm::raw_ostream &os) -> llvm::Error {
    reported = failed((*translation)(sources, os, &context));
    // Any error keeps the output file from appearing.
    return reported ? llvm::createStringError("not translated") : llvm::Error::success();
  });
  if (!error)
    return 0;
  std::string why = llvm::toString(std::move(error));
  if (!reported)
    llvm::errs() << "tiny-translate: cannot write '" << outputFile << "': " << why << '\n';
  return 1;
}
