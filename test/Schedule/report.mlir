// RUN: tiny-opt %s --tiny-report --tiny-report-target=gfx1100 --split-input-file | FileCheck %s --strict-whitespace
// RUN: tiny-opt %s --tiny-report=json --split-input-file | FileCheck %s --check-prefix=JSON

// Kernels as the Schedule stage leaves them, and what they cost, computed by hand.

// matmul (4x6 by 6x5): 120 products, 120 sums from the identity on, 20 additions of the bias. Reads
// 24 + 30 + 5 floats, writes 20. Its accumulators are not memory. At 960 GB/s, 316 bytes take 0.0003 us.
//      CHECK:program main: 1 kernels, 1 launches
// CHECK-NEXT:times on gfx1100: 61,440 GFLOP/s, 960 GB/s
//      CHECK:kernel  runs  flops  bytes read  written  flop/byte  local     us
// CHECK-NEXT:matmul     1    260         236       80      0.823      0  0.000
// CHECK-NEXT:all        1    260         236       80      0.823      0  0.000
//      CHECK:ops of one run  add  mul
// CHECK-NEXT:matmul          140  120
// CHECK-NEXT:all runs        140  120
//      CHECK:memory      bytes
// CHECK-NEXT:arguments     236
// CHECK-NEXT:results        80
// CHECK-NEXT:constants       0
// CHECK-NEXT:workspace       0
// CHECK-NEXT:  at least      0
// CHECK-NEXT:all           316
//      CHECK:copies: none

//      JSON: "entry": "main"
//      JSON: "bytes_read": 236,
// JSON-NEXT: "bytes_read_exact": true,
// JSON-NEXT: "bytes_written": 80,
// JSON-NEXT: "bytes_written_exact": true,
// JSON-NEXT: "copies": [],
// JSON-NEXT: "flops": 260,
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
func.func @main(%a: tensor<4x6xf32>, %b: tensor<6x5xf32>, %bias: tensor<5xf32>) -> tensor<4x5xf32>
    attributes {tiny.constants_bytes = 0 : i64, tiny.workspace_bytes = 0 : i64} {
  %0 = tiny.launch @matmul(%a, %b, %bias) : (tensor<4x6xf32>, tensor<6x5xf32>, tensor<5xf32>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}
func.func private @matmul(%a: tensor<4x6xf32>, %b: tensor<6x5xf32>, %bias: tensor<5xf32>,
                          %out: tensor<4x5xf32>) -> tensor<4x5xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x5xf32>) -> tensor<4x5xf32>
  %sum = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x6xf32>, tensor<6x5xf32>) outs(%init : tensor<4x5xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %1 = arith.mulf %x, %y : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x5xf32>
  %0 = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum, %bias : tensor<4x5xf32>, tensor<5xf32>) outs(%out : tensor<4x5xf32>) {
  ^bb0(%x: f32, %y: f32, %old: f32):
    %1 = arith.addf %x, %y : f32
    linalg.yield %1 : f32
  } -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// -----

// A convolution of 3x8x8 with 2x3x3x3, stride 2, padded by 1 in front of it only: 2x4x4 results of
// 27 products each, also with what is padded. Rows 0 to 7 are read (2*3 + 2 - 1 = 7), that is all
// of the image: 192 floats and 54 weights.
// CHECK:conv       1  1,728         984      128       1.55      0  0.001
// Pooling by 2x2 in steps of 3: rows and columns 0, 1, 3, 4, 6, 7 of 8: 36 floats; 36 comparisons.
// CHECK:pool       1     36         144       36        0.2      0  0.000
#guard = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1 * 2 + d4 - 1, d2 * 2 + d5 - 1)>
#image = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 * 64 + (d1 * 2 + d4 - 1) * 8 + d2 * 2 + d5 - 1)>
#weight = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d4, d5)>
#pixel = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#window = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
#place = affine_map<(d0, d1, d2, d3) -> (d0, d1)>
#pooled = affine_map<(d0, d1, d2, d3) -> ((d0 * 3 + d2) * 8 + d1 * 3 + d3)>
#free = affine_map<(d0, d1, d2, d3) -> ()>
#id2 = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<192xf32>, %w: tensor<2x3x3x3xf32>, %y: tensor<64xf32>) -> (tensor<2x4x4xf32>, tensor<3x3xf32>)
    attributes {tiny.workspace_bytes = 0 : i64} {
  %0 = tiny.launch @conv(%x, %w) : (tensor<192xf32>, tensor<2x3x3x3xf32>) -> tensor<2x4x4xf32>
  %1 = tiny.launch @pool(%y) : (tensor<64xf32>) -> tensor<3x3xf32>
  return %0, %1 : tensor<2x4x4xf32>, tensor<3x3xf32>
}
func.func private @conv(%x: tensor<192xf32>, %w: tensor<2x3x3x3xf32>, %out: tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
    attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x4x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %sum = linalg.generic {indexing_maps = [#weight, #pixel],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%w : tensor<2x3x3x3xf32>) outs(%init : tensor<2x4x4xf32>) {
  ^bb0(%weight: f32, %acc: f32):
    %o = linalg.index 0 : index
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %c = linalg.index 3 : index
    %k = linalg.index 4 : index
    %l = linalg.index 5 : index
    %v = tiny.read %x[%o, %i, %j, %c, %k, %l] #image where #guard in [0, 0] to [8, 8] else [0.0 : f32, 0.0 : f32] : tensor<192xf32> -> f32
    %1 = arith.mulf %v, %weight : f32
    %2 = arith.addf %acc, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x4x4xf32>
  %0 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sum : tensor<2x4x4xf32>) outs(%out : tensor<2x4x4xf32>) {
  ^bb0(%s: f32, %old: f32):
    linalg.yield %s : f32
  } -> tensor<2x4x4xf32>
  return %0 : tensor<2x4x4xf32>
}
func.func private @pool(%x: tensor<64xf32>, %out: tensor<3x3xf32>) -> tensor<3x3xf32> attributes {tiny.kernel} {
  %least = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<3x3xf32>
  %window = tensor.empty() : tensor<2x2xi8>
  %init = linalg.fill ins(%least : f32) outs(%empty : tensor<3x3xf32>) -> tensor<3x3xf32>
  %most = linalg.generic {indexing_maps = [#window, #place], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%window : tensor<2x2xi8>) outs(%init : tensor<3x3xf32>) {
  ^bb0(%none: i8, %acc: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %l = linalg.index 3 : index
    %v = tiny.read %x[%i, %j, %k, %l] #pooled where #free in [] to [] else [] : tensor<64xf32> -> f32
    %1 = arith.maximumf %acc, %v : f32
    linalg.yield %1 : f32
  } -> tensor<3x3xf32>
  %0 = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%most : tensor<3x3xf32>) outs(%out : tensor<3x3xf32>) {
  ^bb0(%s: f32, %old: f32):
    linalg.yield %s : f32
  } -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

// Softmax of 4x8 in one kernel of three nests: 32 max; 32 sub and 32 exp2 into a local; 32 sums; 32
// div. It reads x once and writes once, however often it looks at it. One row of the local is 32 bytes
// and each row has its largest and its sum, of 4.
// CHECK:softmax     1    160         128      128      0.625     40  0.000
// CHECK:ops of one run  add  div  exp2  max
// CHECK:softmax          64   32    32   32
#x = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#one = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tiny.workspace_bytes = 0 : i64} {
  %0 = tiny.launch @softmax(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
func.func private @softmax(%x: tensor<4x8xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {tiny.kernel} {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %e0 = tensor.empty() : tensor<4xf32>
  %i0 = linalg.fill ins(%least : f32) outs(%e0 : tensor<4xf32>) -> tensor<4xf32>
  %m0 = linalg.generic {indexing_maps = [#x, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%i0 : tensor<4xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %1 = arith.maximumf %acc, %v : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %e1 = tensor.empty() : tensor<4xf32>
  %m = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%m0 : tensor<4xf32>) outs(%e1 : tensor<4xf32>) {
  ^bb0(%v: f32, %old: f32):
    linalg.yield %v : f32
  } -> tensor<4xf32>
  %e2 = tensor.empty() : tensor<4x8xf32>
  %p = linalg.generic {indexing_maps = [#x, #row, #x], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<4x8xf32>, tensor<4xf32>) outs(%e2 : tensor<4x8xf32>) {
  ^bb0(%v: f32, %most: f32, %old: f32):
    %1 = arith.subf %v, %most : f32
    %2 = math.exp2 %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  %e3 = tensor.empty() : tensor<4xf32>
  %i3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<4xf32>) -> tensor<4xf32>
  %l0 = linalg.generic {indexing_maps = [#x, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<4x8xf32>) outs(%i3 : tensor<4xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %1 = arith.addf %acc, %v : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %e4 = tensor.empty() : tensor<4xf32>
  %l = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%l0 : tensor<4xf32>) outs(%e4 : tensor<4xf32>) {
  ^bb0(%v: f32, %old: f32):
    linalg.yield %v : f32
  } -> tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [#x, #row, #x], iterator_types = ["parallel", "parallel"]}
      ins(%p, %l : tensor<4x8xf32>, tensor<4xf32>) outs(%out : tensor<4x8xf32>) {
  ^bb0(%v: f32, %sum: f32, %old: f32):
    %1 = arith.divf %v, %sum : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// What only moves data is a copy, with its reason: a transpose, and a part of a concatenation, which
// writes 128 of the 256 elements and runs twice. Two arguments that are one buffer are read once, a
// broadcast value is too; of two buffers, 100 elements of one and every second one of the other are
// read. A gather reads a row of 512 for each of 16 indices.
//      CHECK:program main: 5 kernels, 7 launches
//      CHECK:kernel     runs  flops  bytes read  written  flop/byte  local     us
// CHECK-NEXT:transpose     1      0         128      128          0      0  0.000
// CHECK-NEXT:part          2      0         512      512          0      0  0.001
// CHECK-NEXT:scale         1    256       1,028    1,024      0.125      0  0.002
// CHECK-NEXT:twice         1    100         400      400      0.125      0  0.001
// CHECK-NEXT:twice         1    100         600      400        0.1      0  0.001
// CHECK-NEXT:gather        1      0      32,896   32,768          0      0  0.068
//      CHECK:copies     runs   bytes  why
// CHECK-NEXT:transpose     1     128  the caller wants it
// CHECK-NEXT:part          2     512  not said
// CHECK-NEXT:gather        1  32,768  not said
#t = affine_map<(d0, d1) -> (d1, d0)>
#i2 = affine_map<(d0, d1) -> (d0, d1)>
#i1 = affine_map<(d0) -> (d0)>
#scalar = affine_map<(d0) -> ()>
#even = affine_map<(d0) -> (d0 * 2 - (d0 floordiv 50) * 100)>
#always = affine_map<(d0) -> ()>
#rowOf = affine_map<(d0, d1) -> (d0)>
#table = affine_map<(d0, d1) -> (d0 * 512 + d1)>
#inside = affine_map<(d0, d1) -> (d0)>
func.func @main(%x: tensor<4x8xf32>, %y: tensor<128xf32>, %s: tensor<1xf32>, %z: tensor<100xf32>, %u: tensor<100xf32>,
                %w: tensor<32000x512xf32>, %n: tensor<16xi64>)
    -> (tensor<8x4xf32>, tensor<256xf32>, tensor<100xf32>, tensor<100xf32>, tensor<16x512xf32>)
    attributes {tiny.workspace_bytes = 1024 : i64} {
  %0 = tiny.launch @transpose(%x) : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %1 = tiny.launch @part(%y) : (tensor<128xf32>) -> tensor<256xf32>
  %2 = tiny.launch @part(%y) into(%1 : tensor<256xf32>) updates [0] : (tensor<128xf32>) -> tensor<256xf32>
  %3 = tiny.launch @scale(%2, %s) : (tensor<256xf32>, tensor<1xf32>) -> tensor<256xf32>
  %4 = tiny.launch @twice(%z, %z) : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
  %6 = tiny.launch @twice(%z, %u) : (tensor<100xf32>, tensor<100xf32>) -> tensor<100xf32>
  %5 = tiny.launch @gather(%w, %n) : (tensor<32000x512xf32>, tensor<16xi64>) -> tensor<16x512xf32>
  return %0, %3, %4, %6, %5 : tensor<8x4xf32>, tensor<256xf32>, tensor<100xf32>, tensor<100xf32>, tensor<16x512xf32>
}
func.func private @transpose(%x: tensor<4x8xf32>, %out: tensor<8x4xf32>) -> tensor<8x4xf32>
    attributes {tiny.kernel, tiny.reason = "the caller wants it"} {
  %0 = linalg.generic {indexing_maps = [#t, #i2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xf32>) outs(%out : tensor<8x4xf32>) {
  ^bb0(%in: f32, %old: f32):
    linalg.yield %in : f32
  } -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}
func.func private @part(%x: tensor<128xf32>, %out: tensor<256xf32>) -> tensor<256xf32> attributes {tiny.kernel} {
  %part = tensor.extract_slice %out[128] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %0 = linalg.generic {indexing_maps = [#i1, #i1], iterator_types = ["parallel"]}
      ins(%x : tensor<128xf32>) outs(%part : tensor<128xf32>) {
  ^bb0(%in: f32, %old: f32):
    linalg.yield %in : f32
  } -> tensor<128xf32>
  %1 = tensor.insert_slice %0 into %out[128] [128] [1] : tensor<128xf32> into tensor<256xf32>
  return %1 : tensor<256xf32>
}
func.func private @scale(%x: tensor<256xf32>, %s: tensor<f32>, %out: tensor<256xf32>) -> tensor<256xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#i1, #scalar, #i1], iterator_types = ["parallel"]}
      ins(%x, %s : tensor<256xf32>, tensor<f32>) outs(%out : tensor<256xf32>) {
  ^bb0(%in: f32, %by: f32, %old: f32):
    %1 = arith.mulf %in, %by : f32
    linalg.yield %1 : f32
  } -> tensor<256xf32>
  return %0 : tensor<256xf32>
}
// x[i] + x[2 * (i mod 50)]
func.func private @twice(%x: tensor<100xf32>, %y: tensor<100xf32>, %out: tensor<100xf32>) -> tensor<100xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#i1, #i1], iterator_types = ["parallel"]}
      ins(%x : tensor<100xf32>) outs(%out : tensor<100xf32>) {
  ^bb0(%in: f32, %old: f32):
    %i = linalg.index 0 : index
    %v = tiny.read %y[%i] #even where #always in [] to [] else [] : tensor<100xf32> -> f32
    %1 = arith.addf %in, %v : f32
    linalg.yield %1 : f32
  } -> tensor<100xf32>
  return %0 : tensor<100xf32>
}
func.func private @gather(%w: tensor<16384000xf32>, %n: tensor<16xi64>, %out: tensor<16x512xf32>) -> tensor<16x512xf32> attributes {tiny.kernel} {
  %0 = linalg.generic {indexing_maps = [#rowOf, #i2], iterator_types = ["parallel", "parallel"]}
      ins(%n : tensor<16xi64>) outs(%out : tensor<16x512xf32>) {
  ^bb0(%number: i64, %old: f32):
    %row = arith.index_cast %number : i64 to index
    %j = linalg.index 1 : index
    %v = tiny.read %w[%row, %j] #table where #inside in [0] to [32000] else [0.0 : f32] : tensor<16384000xf32> -> f32
    linalg.yield %v : f32
  } -> tensor<16x512xf32>
  return %0 : tensor<16x512xf32>
}

// -----

// A plain program is scheduled first.
// CHECK:exp2_{{[0-9x]+ +}}1     24          96       96      0.125      0  0.000
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = tiny.exp2 %x : tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}
