//===- File.cpp - whole files, read and written safely --------------------===//

#include "Tiny/Runtime/TensorFile.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tinyrt;

static bool fail(std::string &error, const char *what, const std::string &path) {
  error = std::string("cannot ") + what + " '" + path + "': " + std::strerror(errno);
  return false;
}

bool tinyrt::readFile(const std::string &path, std::string &bytes, std::string &error) {
  bytes.clear();
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return fail(error, "open", path);
  struct stat status;
  bool ok = ::fstat(file, &status) == 0;
  if (!ok) {
    fail(error, "read", path);
  } else if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    // A device may have no end.
    error = "cannot read '" + path + "': it is not a file";
    ok = false;
  }
  if (ok && S_ISREG(status.st_mode))
    bytes.reserve(static_cast<size_t>(status.st_size));
  static constexpr size_t step = 1 << 20;
  while (ok) {
    size_t before = bytes.size();
    bytes.resize(before + step);
    ssize_t got = ::read(file, &bytes[before], step);
    bytes.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0)
      break;
    if (got < 0 && errno != EINTR)
      ok = fail(error, "read", path);
  }
  ::close(file);
  return ok;
}

/// Writes everything and closes `file`.
static bool writeAndClose(int file, std::string_view bytes, const std::string &path,
                          std::string &error) {
  bool ok = true;
  while (ok && !bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<size_t>(written));
    else if (errno != EINTR)
      ok = fail(error, "write", path);
  }
  // Some file systems report a full disk only here.
  if (::close(file) != 0 && ok)
    ok = fail(error, "write", path);
  return ok;
}

bool tinyrt::writeFile(const std::string &path, std::string_view bytes, std::string &error) {
  std::string target = path;
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      return file < 0 ? fail(error, "write", path) : writeAndClose(file, bytes, path, error);
    }
    // Renaming needs no permission for the file it replaces, but its owner meant something.
    if (::access(path.c_str(), W_OK) != 0)
      return fail(error, "write", path);
    // Replace what a symbolic link leads to, not the link.
    if (char *real = ::realpath(path.c_str(), nullptr)) {
      target = real;
      std::free(real);
    }
  }
  std::string temporary = target + ".tmp" + std::to_string(::getpid());
  int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0)
    return fail(error, "write", path);
  bool ok = writeAndClose(file, bytes, path, error);
  if (ok && ::rename(temporary.c_str(), target.c_str()) != 0)
    ok = fail(error, "write", path);
  if (!ok)
    ::unlink(temporary.c_str());
  return ok;
}
