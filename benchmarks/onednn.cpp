//===- onednn.cpp - oneDNN behind three C functions ------------------------===//
//
// What ops_side.py loads to time oneDNN, which has no Python interface. Built by common.py against
// the headers and the library of PyPI's onednn-devel-cpu-gomp. Constant operands are reordered
// once, into the layout that oneDNN asks for; activations and results stay in the layout of the
// ONNX model, as for every other peer.
//
// A prepared op is a heap object that the caller runs as often as it likes, and that lives as long
// as the process. Functions return null, or false, where oneDNN throws.
//
//===----------------------------------------------------------------------===//

#include <dnnl.hpp>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Dims = memory::dims;
using Tag = memory::format_tag;

namespace {

/// The types of an op: activations, weights, and results, which biases have as well.
struct Types {
  memory::data_type left, right, result;
};

/// By the names that op_cases.py has for them.
const std::map<std::string, Types> kTypes = {
    {"f32", {memory::data_type::f32, memory::data_type::f32, memory::data_type::f32}},
    {"bf16", {memory::data_type::bf16, memory::data_type::bf16, memory::data_type::bf16}},
    {"int8", {memory::data_type::u8, memory::data_type::s8, memory::data_type::s32}},
};

struct Prepared {
  engine cpu{engine::kind::cpu, 0};
  stream queue{cpu};
  primitive op;
  std::unordered_map<int, memory> arguments;

  memory wrap(const memory::desc &form, const void *data) {
    return memory(form, cpu, const_cast<void *>(data));
  }

  /// `data`, of `given` form, in the form that the primitive wants.
  memory arrange(const memory::desc &given, const memory::desc &wanted, const void *data) {
    memory plain = wrap(given, data);
    if (given == wanted)
      return plain;
    memory arranged(wanted, cpu);
    reorder(plain, arranged).execute(queue, plain, arranged);
    queue.wait();
    return arranged;
  }
};

memory::desc plain(const Dims &dims, memory::data_type type) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i-- > 0;)
    strides[i] = strides[i + 1] * dims[i + 1];
  return memory::desc(dims, type, strides);
}

memory::desc anyOrder(const Dims &dims, memory::data_type type) {
  return memory::desc(dims, type, Tag::any);
}

template <typename Function> Prepared *guarded(Function prepare) {
  try {
    auto prepared = std::make_unique<Prepared>();
    prepare(*prepared);
    return prepared.release();
  } catch (const std::exception &) {
    return nullptr;
  }
}

} // namespace

extern "C" {

/// out[batch, m, n] = a[batch, m, k] * b, where b is [batch, k, n], or [batch, n, k] if
/// `transposed`. With `constant`, b is laid out beforehand.
Prepared *onednn_product(const char *element, int batch, int m, int n, int k, bool transposed,
                         bool constant, const void *a, const void *b, void *out) {
  return guarded([&](Prepared &self) {
    Types types = kTypes.at(element);
    Dims right{batch, k, n};
    memory::desc given = transposed ? memory::desc(right, types.right, Dims{long(n) * k, 1, k})
                                    : plain(right, types.right);
    matmul::primitive_desc form(self.cpu, plain({batch, m, k}, types.left),
                                constant ? anyOrder(right, types.right) : given,
                                plain({batch, m, n}, types.result));
    self.op = matmul(form);
    self.arguments = {{DNNL_ARG_SRC, self.wrap(form.src_desc(), a)},
                      {DNNL_ARG_WEIGHTS, self.arrange(given, form.weights_desc(), b)},
                      {DNNL_ARG_DST, self.wrap(form.dst_desc(), out)}};
  });
}

/// NCHW, square strides and paddings, weights [features, channels / groups, window, window]
/// and a bias, both constant. `byChannels` has x and out as NHWC.
Prepared *onednn_convolution(const char *element, int channels, int height, int width, int features,
                             int window, int stride, int pad, int groups, bool byChannels,
                             const void *x, const void *weights, const void *bias, void *out) {
  return guarded([&](Prepared &self) {
    Types types = kTypes.at(element);
    auto size = [&](int in) { return (in + 2 * pad - window) / stride + 1; };
    Tag order = byChannels ? Tag::nhwc : Tag::nchw;
    memory::desc from({1, channels, height, width}, types.left, order);
    memory::desc to({1, features, size(height), size(width)}, types.result, order);
    Dims kernel = groups > 1 ? Dims{groups, features / groups, channels / groups, window, window}
                             : Dims{features, channels, window, window};
    convolution_forward::primitive_desc form(
        self.cpu, prop_kind::forward_inference, algorithm::convolution_auto, from,
        anyOrder(kernel, types.right), plain({features}, types.result), to, Dims{stride, stride},
        Dims{pad, pad}, Dims{pad, pad});
    self.op = convolution_forward(form);
    self.arguments = {
        {DNNL_ARG_SRC, self.wrap(form.src_desc(), x)},
        {DNNL_ARG_WEIGHTS, self.arrange(plain(kernel, types.right), form.weights_desc(), weights)},
        {DNNL_ARG_BIAS, self.wrap(form.bias_desc(), bias)},
        {DNNL_ARG_DST, self.wrap(form.dst_desc(), out)}};
  });
}

bool onednn_run(Prepared *prepared) {
  try {
    prepared->op.execute(prepared->queue, prepared->arguments);
    prepared->queue.wait();
    return true;
  } catch (const std::exception &) {
    return false;
  }
}
}
