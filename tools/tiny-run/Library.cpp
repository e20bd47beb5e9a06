//===- Library.cpp - write code for other programs ------------------------===//

#include "Target.h"
#include "Tensors.h"

#include "Tiny/Compiler/Library.h"
#include "Tiny/Runtime/TensorFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <unistd.h>

using namespace mlir;
using namespace tinyrun;

/// What the header is called, as an identifier: "super-resolution.h" declares super_resolution_run.
static std::string symbolName(llvm::StringRef path) {
  std::string name = llvm::sys::path::stem(path).str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  return name.empty() || !llvm::isAlpha(name[0]) ? "model_" + name : name;
}

bool tinyrun::writeLibrary(Model &model, const Options &options, std::string &error) {
  using mlir::tiny::LibraryKind;
  mlir::tiny::LibraryOptions library;
  library.kind = options.emit == "obj"      ? LibraryKind::object
                 : options.emit == "static" ? LibraryKind::archive
                                            : LibraryKind::shared;
  library.name = symbolName(options.headerPath);
  library.separateWeights = !options.weightsPath.empty();
  for (const std::string &path : {options.emitPath, options.headerPath, options.weightsPath})
    if (!path.empty() && !checkWritable(path, error))
      return false;

  FailureOr<mlir::tiny::Library> made;
  {
    Progress progress("compiling");
    made = mlir::tiny::emitLibrary(*model.module, compileOptions(model, options), library);
  }
  if (failed(made))
    return false;
  std::vector<std::pair<std::string, std::string_view>> files;
  if (library.separateWeights)
    files.push_back(
        {options.weightsPath, {made->weights.as<char>(), size_t(made->weights.bytes())}});
  files.push_back({options.headerPath, made->header});
  files.push_back({options.emitPath, made->code});
  for (size_t i = 0; i < files.size(); ++i) {
    if (tinyrt::writeFile(files[i].first, files[i].second, error))
      continue;
    // A header without its code, or with that of another model, is worse than none.
    while (i-- > 0)
      if (llvm::sys::fs::is_regular_file(files[i].first)) // and not /dev/null
        ::unlink(files[i].first.c_str());
    return false;
  }
  return true;
}
