//===- Tensors.cpp - inputs, outputs and expectations of a run ------------===//

#include "Tensors.h"

#include "Tiny/Runtime/Element.h"
#include "Tiny/Runtime/TensorFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace tinyrun;

static std::string describe(const Port &port) { return "'" + port.name + "' " + port.type.str(); }

/// The port of that name, or at that position; -1 if there is none.
static int findPort(const std::vector<Port> &ports, const std::string &name) {
  for (auto [i, port] : llvm::enumerate(ports))
    if (port.name == name)
      return static_cast<int>(i);
  size_t position;
  if (!llvm::StringRef(name).getAsInteger(10, position) && position < ports.size())
    return static_cast<int>(position);
  return -1;
}

/// Gives each spec to its port: first those with a name, then the others in order to the ports that
/// are left.
template <typename Spec>
static bool match(const std::vector<Spec> &specs, const std::vector<Port> &ports,
                  const char *option, const char *what, Matched<Spec> &matched,
                  std::string &error) {
  matched.assign(ports.size(), nullptr);
  auto listPorts = [&] {
    std::string list;
    for (const Port &port : ports)
      list += (list.empty() ? "" : ", ") + describe(port);
    return ports.empty() ? std::string("the program has none") : "the program has " + list;
  };
  for (const Spec &spec : specs) {
    if (spec.name.empty())
      continue;
    int port = findPort(ports, spec.name);
    if (port < 0) {
      error =
          std::string(option) + ": there is no " + what + " '" + spec.name + "'; " + listPorts();
      return false;
    }
    if (matched[port]) {
      error =
          std::string(option) + ": the " + what + " " + describe(ports[port]) + " is given twice";
      return false;
    }
    matched[port] = &spec;
  }
  size_t next = 0;
  for (const Spec &spec : specs) {
    if (!spec.name.empty())
      continue;
    while (next < ports.size() && matched[next])
      ++next;
    if (next == ports.size()) {
      error = std::string(option) + ": there are more than the " + what + "s; " + listPorts();
      return false;
    }
    matched[next] = &spec;
  }
  return true;
}

bool tinyrun::matchInputs(const Options &options, const Model &model, Matched<InputSpec> &matched,
                          std::string &error) {
  if (!match(options.inputs, model.inputs, "--input", "input", matched, error))
    return false;
  auto unnamed = llvm::make_filter_range(options.inputs,
                                         [](const InputSpec &spec) { return spec.name.empty(); });
  if (llvm::hasSingleElement(unnamed) && unnamed.begin()->kind == InputSpec::random)
    for (const InputSpec *&spec : matched)
      if (!spec)
        spec = &*unnamed.begin();
  std::string missing;
  for (auto [spec, port] : llvm::zip_equal(matched, model.inputs))
    if (!spec)
      missing += (missing.empty() ? "" : ", ") + describe(port);
  if (missing.empty())
    return true;
  error = "missing input " + missing +
          "; give --input [NAME=] and @FILE.npy, @FILE.pb, random:SEED or a number";
  return false;
}

bool tinyrun::matchFiles(const std::vector<FileSpec> &files, const std::vector<Port> &ports,
                         const char *option, Matched<FileSpec> &matched, std::string &error) {
  return match(files, ports, option, "result", matched, error);
}

/// What to try when a file has another batch size than a model was imported with.
static std::string batchHint(const Model &model, size_t input, const tinyrt::TensorType &got) {
  tinyrt::TensorType expected = model.inputs[input].type;
  if (!model.isOnnx || expected.element != got.element || expected.shape.size() != got.shape.size())
    return "";
  for (size_t d = 0; d < got.shape.size(); ++d)
    if (expected.shape[d] != got.shape[d] && expected.shape[d] == 1)
      return "; if the model leaves that dim open, give --dim '" + model.inputs[input].name + "[" +
             std::to_string(d) + "]=" + std::to_string(got.shape[d]) + "'";
  return "";
}

static bool fill(const Port &port, const InputSpec &spec, tinyrt::Tensor &tensor,
                 std::string &error) {
  if (tinyrt::fillFromText(tensor, spec.text, error))
    return true;
  error = "input " + describe(port) + ": " + error;
  return false;
}

bool tinyrun::readInputs(const Matched<InputSpec> &matched, const Model &model,
                         std::vector<tinyrt::Tensor> &tensors, std::string &error) {
  tensors.resize(matched.size());
  for (size_t i = 0; i < matched.size(); ++i) {
    const Port &port = model.inputs[i];
    if (matched[i]->kind == InputSpec::constant) {
      tinyrt::Tensor single({port.type.element, {}});
      if (!fill(port, *matched[i], single, error))
        return false;
    }
    if (matched[i]->kind != InputSpec::file)
      continue;
    if (!tinyrt::readTensor(matched[i]->text, tensors[i], error))
      return false;
    const tinyrt::TensorType &got = tensors[i].type();
    if (got == port.type)
      continue;
    error = "input " + describe(port) + ": '" + matched[i]->text + "' has type " + got.str() +
            batchHint(model, i, got);
    return false;
  }
  return true;
}

bool tinyrun::makeInputs(const Matched<InputSpec> &matched, const Model &model,
                         std::vector<tinyrt::Tensor> &tensors, std::string &error) {
  for (size_t i = 0; i < matched.size(); ++i) {
    if (matched[i]->kind == InputSpec::file)
      continue;
    tensors[i] = tinyrt::Tensor(model.inputs[i].type);
    if (matched[i]->kind == InputSpec::random)
      tinyrt::fillRandom(tensors[i], matched[i]->seed, i);
    else if (!fill(model.inputs[i], *matched[i], tensors[i], error))
      return false;
  }
  return true;
}

bool tinyrun::readExpected(const Matched<FileSpec> &matched, const Model &model,
                           std::vector<tinyrt::Tensor> &tensors, std::string &error) {
  tensors.resize(matched.size());
  for (size_t i = 0; i < matched.size(); ++i) {
    if (!matched[i])
      continue;
    if (!tinyrt::readTensor(matched[i]->path, tensors[i], error))
      return false;
    if (tensors[i].type() != model.outputs[i].type) {
      error = "--expect: the result " + describe(model.outputs[i]) + " is compared with '" +
              matched[i]->path + "', which has type " + tensors[i].type().str();
      return false;
    }
  }
  return true;
}

bool tinyrun::checkWritable(const std::string &path, std::string &error) {
  std::string folder = llvm::sys::path::parent_path(path).str();
  if (folder.empty())
    folder = ".";
  if (llvm::sys::fs::is_directory(path)) {
    error = "cannot write '" + path + "': it is a folder";
    return false;
  }
  bool exists = ::access(path.c_str(), F_OK) == 0;
  if (::access(exists ? path.c_str() : folder.c_str(), W_OK) == 0)
    return true;
  error = "cannot write '" + path + "': " + std::strerror(errno);
  return false;
}
