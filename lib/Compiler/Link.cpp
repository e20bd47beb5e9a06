//===- Link.cpp - lld in this process -------------------------------------===//
//
// lld reads and writes files, so they lie in a folder of their own for as long as
// it takes. It keeps its state in globals: one call at a time.
//
//===----------------------------------------------------------------------===//

#include "Link.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

llvm::Expected<std::string> mlir::tiny::linkELF(llvm::ArrayRef<char> object,
                                                llvm::ArrayRef<std::string> options) {
  static std::mutex oneAtATime;
  static bool isUsable = true;
  std::lock_guard<std::mutex> lock(oneAtATime);
  if (!isUsable)
    return llvm::createStringError("lld has crashed before and cannot be called again");

  llvm::SmallString<128> folder;
  if (std::error_code failed = llvm::sys::fs::createUniqueDirectory("tiny-link", folder))
    return llvm::createStringError("cannot make a temporary folder: " + failed.message());
  auto remove = llvm::make_scope_exit([&] { llvm::sys::fs::remove_directories(folder); });
  llvm::SmallString<128> input(folder), output(folder);
  llvm::sys::path::append(input, "object.o");
  llvm::sys::path::append(output, "linked");
  std::error_code failed;
  llvm::raw_fd_ostream os(input, failed);
  os.write(object.data(), object.size());
  os.close();
  if (!failed)
    failed = os.error();
  os.clear_error();
  if (failed)
    return llvm::createStringError("cannot write '" + input.str() + "': " + failed.message());

  llvm::SmallVector<const char *> arguments = {"ld.lld"};
  for (const std::string &option : options)
    arguments.push_back(option.c_str());
  arguments.append({"-o", output.c_str(), input.c_str()});
  std::string said;
  llvm::raw_string_ostream messages(said);
  lld::Result result = lld::lldMain(arguments, messages, messages, {{lld::Gnu, &lld::elf::link}});
  isUsable = result.canRunAgain;
  if (result.retCode != 0)
    return llvm::createStringError("lld cannot link: " + llvm::StringRef(said).trim());
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked)
    return llvm::createStringError("cannot read what lld made: " + linked.getError().message());
  return (*linked)->getBuffer().str();
}
