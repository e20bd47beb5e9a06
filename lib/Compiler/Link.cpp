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
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

static llvm::Error writeFile(const std::string &path, llvm::ArrayRef<char> bytes) {
  std::error_code failed;
  llvm::raw_fd_ostream os(path, failed);
  os.write(bytes.data(), bytes.size());
  os.close();
  if (!failed)
    failed = os.error();
  os.clear_error();
  if (failed)
    return llvm::createStringError("cannot write '" + path + "': " + failed.message());
  return llvm::Error::success();
}

llvm::Expected<std::string> mlir::tiny::linkELF(llvm::ArrayRef<llvm::ArrayRef<char>> objects,
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
  auto file = [&](const llvm::Twine &name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  };
  std::string output = file("linked");
  std::vector<std::string> words = {"ld.lld"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"-o", output});
  for (auto [i, object] : llvm::enumerate(objects)) {
    words.push_back(file("object" + llvm::Twine(i) + ".o"));
    if (llvm::Error failed = writeFile(words.back(), object))
      return failed;
  }
  llvm::SmallVector<const char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(word.c_str());
  std::string said;
  llvm::raw_string_ostream messages(said);
  // Where lld gives up it would end the process, unless somebody recovers from that.
  llvm::CrashRecoveryContext::Enable();
  lld::Result result = lld::lldMain(arguments, messages, messages, {{lld::Gnu, &lld::elf::link}});
  llvm::CrashRecoveryContext::Disable();
  isUsable = result.canRunAgain;
  if (result.retCode != 0)
    return llvm::createStringError("lld cannot link: " + llvm::StringRef(said).trim());
  auto linked = llvm::MemoryBuffer::getFile(output);
  if (!linked)
    return llvm::createStringError("cannot read what lld made: " + linked.getError().message());
  return (*linked)->getBuffer().str();
}
