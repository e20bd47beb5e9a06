//===- Tensors.h - inputs, outputs and expectations of a run ----*- C++ -*-===//
//
// Matches what the command line says, by name or by position, with what the
// program has, and makes or checks the tensors.
//
//===----------------------------------------------------------------------===//

#ifndef TINY_RUN_TENSORS_H
#define TINY_RUN_TENSORS_H

#include "Model.h"

namespace tinyrun {

/// For each port the spec that is meant for it, or null.
template <typename Spec> using Matched = std::vector<const Spec *>;

/// Finds the input of each argument. False with one error that names all that are missing.
bool matchInputs(const Options &options, const Model &model, Matched<InputSpec> &matched,
                 std::string &error);

/// Finds the result that each --output or --expect (`option`) is about.
bool matchFiles(const std::vector<FileSpec> &files, const std::vector<Port> &ports,
                const char *option, Matched<FileSpec> &matched, std::string &error);

/// Reads the files among the inputs, so that a wrong one is found before anything is compiled.
/// `tensors` gets a place for each input.
bool readInputs(const Matched<InputSpec> &matched, const Model &model,
                std::vector<tinyrt::Tensor> &tensors, std::string &error);

/// Makes the inputs that are not files, once it is known that there is memory for them.
bool makeInputs(const Matched<InputSpec> &matched, const Model &model,
                std::vector<tinyrt::Tensor> &tensors, std::string &error);

/// Reads the expected results; those that are not asked for stay empty.
bool readExpected(const Matched<FileSpec> &matched, const Model &model,
                  std::vector<tinyrt::Tensor> &tensors, std::string &error);

/// Looks, before a long run, whether the outputs could be written after it.
bool checkWritable(const std::string &path, std::string &error);

} // namespace tinyrun

#endif // TINY_RUN_TENSORS_H
