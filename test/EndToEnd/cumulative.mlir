// Reductions over all positions up to each one, in one pass, however they are written.
//
// RUN: tiny-run %s --entry rows --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry exclusive --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry reverse --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry inner --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry window --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry after --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry maximum --input random:1 --poison --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry between --input random:1 --poison --verify-against reference | FileCheck %s
// CHECK: agrees with the reference
// An infinity, or a NaN, is in the sums that it is a part of and in no other.
// RUN: tiny-run %s --entry after --input inf --poison --verify-against reference | FileCheck %s

// Many rows, in f16: summed up in f32, each sum rounded once.
func.func @rows(%x: tensor<5x7x50xf16>) -> tensor<5x7x50xf16> {
  %x0 = tiny.reshape %x : tensor<5x7x50xf16> to tensor<5x7x1x50xf16>
  %x1 = tiny.expand %x0 : tensor<5x7x1x50xf16> to tensor<5x7x50x50xf16>
  %r = tiny.iota dim 2 : tensor<5x7x50x50xi32>
  %t = tiny.iota dim 3 : tensor<5x7x50x50xi32>
  %c = tiny.cmp le %t, %r : tensor<5x7x50x50xi32>
  %z = tiny.constant dense<0.0> : tensor<5x7x50x50xf16>
  %w = tiny.where %c, %x1, %z : tensor<5x7x50x50xf16>
  %s = tiny.reduce add %w dims [3] : tensor<5x7x50x50xf16> -> tensor<5x7x50xf16>
  return %s : tensor<5x7x50xf16>
}

// The sum before each element; selected by the opposite.
func.func @exclusive(%x: tensor<3x41xi8>) -> tensor<3x41xi8> {
  %x0 = tiny.reshape %x : tensor<3x41xi8> to tensor<3x1x41xi8>
  %x1 = tiny.expand %x0 : tensor<3x1x41xi8> to tensor<3x41x41xi8>
  %r = tiny.iota dim 1 : tensor<3x41x41xi64>
  %t = tiny.iota dim 2 : tensor<3x41x41xi64>
  %c = tiny.cmp le %r, %t : tensor<3x41x41xi64>
  %z = tiny.constant dense<0> : tensor<3x41x41xi8>
  %w = tiny.where %c, %z, %x1 : tensor<3x41x41xi8>
  %s = tiny.reduce add %w dims [2] : tensor<3x41x41xi8> -> tensor<3x41xi8>
  return %s : tensor<3x41xi8>
}

// From the end.
func.func @reverse(%x: tensor<3x41xf32>) -> (tensor<3x41xf32>, tensor<3x41xf32>) {
  %x0 = tiny.reshape %x : tensor<3x41xf32> to tensor<3x1x41xf32>
  %x1 = tiny.expand %x0 : tensor<3x1x41xf32> to tensor<3x41x41xf32>
  %r = tiny.iota dim 1 : tensor<3x41x41xi32>
  %t = tiny.iota dim 2 : tensor<3x41x41xi32>
  %c = tiny.cmp le %r, %t : tensor<3x41x41xi32>
  %d = tiny.cmp lt %r, %t : tensor<3x41x41xi32>
  %z = tiny.constant dense<0.0> : tensor<3x41x41xf32>
  %w = tiny.where %c, %x1, %z : tensor<3x41x41xf32>
  %v = tiny.where %d, %x1, %z : tensor<3x41x41xf32>
  %s = tiny.reduce add %w dims [2] : tensor<3x41x41xf32> -> tensor<3x41xf32>
  %e = tiny.reduce add %v dims [2] : tensor<3x41x41xf32> -> tensor<3x41xf32>
  return %s, %e : tensor<3x41xf32>, tensor<3x41xf32>
}

// Along a dim in the middle, so that the rows are the lanes of vectors.
func.func @inner(%x: tensor<4x30x70xf32>) -> tensor<4x30x70xf32> {
  %x0 = tiny.reshape %x : tensor<4x30x70xf32> to tensor<4x1x30x70xf32>
  %x1 = tiny.expand %x0 : tensor<4x1x30x70xf32> to tensor<4x30x30x70xf32>
  %r = tiny.iota dim 1 : tensor<4x30x30x70xi32>
  %t = tiny.iota dim 2 : tensor<4x30x30x70xi32>
  %c = tiny.cmp lt %r, %t : tensor<4x30x30x70xi32>
  %z = tiny.constant dense<0.0> : tensor<4x30x30x70xf32>
  %w = tiny.where %c, %z, %x1 : tensor<4x30x30x70xf32>
  %s = tiny.reduce add %w dims [2] : tensor<4x30x30x70xf32> -> tensor<4x30x70xf32>
  return %s : tensor<4x30x70xf32>
}

// A window over what is padded before: rows of one element more than there are, cut off again.
func.func @window(%x: tensor<3x20xf32>) -> tensor<3x20xf32> {
  %p = tiny.pad %x low [0, 19] high [0, 0] value 0.0 : f32 : tensor<3x20xf32> -> tensor<3x39xf32>
  %q = tiny.reshape %p : tensor<3x39xf32> to tensor<3x1x39xf32>
  %e = tiny.expand %q : tensor<3x1x39xf32> to tensor<3x21x39xf32>
  %f = tiny.reshape %e : tensor<3x21x39xf32> to tensor<3x819xf32>
  %g = tiny.shrink %f offsets [0, 0] sizes [3, 800] : tensor<3x819xf32> -> tensor<3x800xf32>
  %h = tiny.reshape %g : tensor<3x800xf32> to tensor<3x20x40xf32>
  %i = tiny.shrink %h offsets [0, 0, 0] sizes [3, 20, 20] : tensor<3x20x40xf32> -> tensor<3x20x20xf32>
  %s = tiny.reduce add %i dims [2] : tensor<3x20x20xf32> -> tensor<3x20xf32>
  return %s : tensor<3x20xf32>
}

// What is before and behind the sums is in the same pass.
func.func @after(%x: tensor<6x33xf32>) -> tensor<6x33xf32> {
  %m = tiny.mul %x, %x : tensor<6x33xf32>
  %x0 = tiny.reshape %m : tensor<6x33xf32> to tensor<6x1x33xf32>
  %x1 = tiny.expand %x0 : tensor<6x1x33xf32> to tensor<6x33x33xf32>
  %r = tiny.iota dim 1 : tensor<6x33x33xi32>
  %t = tiny.iota dim 2 : tensor<6x33x33xi32>
  %c = tiny.cmp le %t, %r : tensor<6x33x33xi32>
  %z = tiny.constant dense<0.0> : tensor<6x33x33xf32>
  %w = tiny.where %c, %x1, %z : tensor<6x33x33xf32>
  %s = tiny.reduce add %w dims [2] : tensor<6x33x33xf32> -> tensor<6x33xf32>
  %n = tiny.iota dim 1 : tensor<6x33xf32>
  %a = tiny.add %s, %n : tensor<6x33xf32>
  %q = tiny.sqrt %a : tensor<6x33xf32>
  %y = tiny.div %x, %q : tensor<6x33xf32>
  return %y : tensor<6x33xf32>
}

func.func @maximum(%x: tensor<9x26xi32>) -> tensor<9x26xi32> {
  %x0 = tiny.reshape %x : tensor<9x26xi32> to tensor<9x1x26xi32>
  %x1 = tiny.expand %x0 : tensor<9x1x26xi32> to tensor<9x26x26xi32>
  %r = tiny.iota dim 1 : tensor<9x26x26xi32>
  %t = tiny.iota dim 2 : tensor<9x26x26xi32>
  %c = tiny.cmp le %t, %r : tensor<9x26x26xi32>
  %z = tiny.constant dense<-2147483648> : tensor<9x26x26xi32>
  %w = tiny.where %c, %x1, %z : tensor<9x26x26xi32>
  %s = tiny.reduce max %w dims [2] : tensor<9x26x26xi32> -> tensor<9x26xi32>
  return %s : tensor<9x26xi32>
}

// The sums are a part of a concatenation.
func.func @between(%x: tensor<4x12xf32>) -> tensor<4x20xf32> {
  %x0 = tiny.reshape %x : tensor<4x12xf32> to tensor<4x1x12xf32>
  %x1 = tiny.expand %x0 : tensor<4x1x12xf32> to tensor<4x12x12xf32>
  %r = tiny.iota dim 1 : tensor<4x12x12xi32>
  %t = tiny.iota dim 2 : tensor<4x12x12xi32>
  %c = tiny.cmp le %r, %t : tensor<4x12x12xi32>
  %z = tiny.constant dense<0.0> : tensor<4x12x12xf32>
  %w = tiny.where %c, %x1, %z : tensor<4x12x12xf32>
  %s = tiny.reduce add %w dims [2] : tensor<4x12x12xf32> -> tensor<4x12xf32>
  %e = tiny.shrink %x offsets [0, 0] sizes [4, 8] : tensor<4x12xf32> -> tensor<4x8xf32>
  %f = tiny.exp2 %e : tensor<4x8xf32>
  %a = tiny.pad %f low [0, 0] high [0, 12] value 0.0 : f32 : tensor<4x8xf32> -> tensor<4x20xf32>
  %b = tiny.pad %s low [0, 8] high [0, 0] value 0.0 : f32 : tensor<4x12xf32> -> tensor<4x20xf32>
  %i = tiny.iota dim 1 : tensor<4x20xi32>
  %eight = tiny.constant dense<8> : tensor<4x20xi32>
  %lt = tiny.cmp lt %i, %eight : tensor<4x20xi32>
  %y = tiny.where %lt, %a, %b : tensor<4x20xf32>
  return %y : tensor<4x20xf32>
}
