// Values that take over the buffer of another one have the elements that the program gives them,
// wherever the new ones go, and nothing is stored where a number is no position.
//
// RUN: tiny-run %s --entry row --input old=random:1 --input new=random:2 --input at=5 --report --verify-against reference | FileCheck %s --check-prefix=ROW
// Two rows of eight numbers are read and written, one number says where; nothing else is touched.
// ROW:       update_2x16x8     1      0          68       64
// ROW:       result0: tensor<2x16x8xf32>
// ROW:       agrees with the reference
// RUN: tiny-run %s --entry row --input old=random:1 --input new=random:2 --input at=-1 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry row --input old=random:1 --input new=random:2 --input at=16 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry row --input old=random:1 --input new=random:2 --input at=2147483647 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry row --input old=random:1 --input new=random:2 --input at=-2147483648 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry columns --input old=random:1 --input new=random:2 --input at=random:3 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry columns --input old=random:1 --input new=random:2 --input at=6 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry two --input old=random:1 --input new=random:2 --input at=3 --input and=random:5 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry two --input old=random:1 --input new=random:2 --input at=3 --input and=4 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry add --input old=random:1 --input new=random:2 --input at=4 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry add --input old=random:1 --input new=random:2 --input at=-4 --verify-against reference | FileCheck %s
// RUN: tiny-run %s --entry slice --input old=random:1 --input new=random:2 --verify-against reference --poison | FileCheck %s
// RUN: tiny-run %s --entry inside --input x=random:1 --input new=random:2 --input at=7 --verify-against reference --poison | FileCheck %s
// RUN: tiny-run %s --entry inside --input x=random:1 --input new=random:2 --input at=9 --verify-against reference --poison | FileCheck %s
// CHECK: agrees with the reference
//
// An argument that the caller keeps is kept, until the command line gives it away.
// RUN: tiny-run %s --entry kept --input old=random:1 --input new=random:2 --input at=2 --verify-against reference --report | FileCheck %s --check-prefix=KEPT
// KEPT:      where_
// KEPT:      agrees with the reference
// RUN: tiny-run %s --entry kept --donate old --input old=random:1 --input new=random:2 --input at=2 --verify-against reference --report | FileCheck %s --check-prefix=GIVEN
// RUN: tiny-run %s --entry kept --donate 0 --input old=random:1 --input new=random:2 --input at=2 --verify-against reference --report | FileCheck %s --check-prefix=GIVEN
// GIVEN:     update_
// GIVEN:     agrees with the reference
// RUN: not tiny-run %s --entry kept --donate other --input 1 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: --donate: the program has no input 'other'

func.func @row(%old: tensor<2x16x8xf32> {tiny.name = "old", tiny.donated}, %new: tensor<2x1x8xf32> {tiny.name = "new"}, %at: tensor<i32> {tiny.name = "at"}) -> tensor<2x16x8xf32> {
  %i = tiny.iota dim 1 : tensor<2x16x8xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1x1xi32> to tensor<2x16x8xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<2x16x8xi32>
  %n = tiny.expand %new : tensor<2x1x8xf32> to tensor<2x16x8xf32>
  %r = tiny.where %c, %n, %old : tensor<2x16x8xf32>
  return %r : tensor<2x16x8xf32>
}

// Each column has a place of its own, so that the lanes of a vector part; written as `ne`.
func.func @columns(%old: tensor<7x37xi16> {tiny.name = "old", tiny.donated}, %new: tensor<37xi16> {tiny.name = "new"}, %at: tensor<37xi64> {tiny.name = "at"}) -> tensor<7x37xi16> {
  %i = tiny.iota dim 0 : tensor<7x37xi64>
  %a0 = tiny.reshape %at : tensor<37xi64> to tensor<1x37xi64>
  %a1 = tiny.expand %a0 : tensor<1x37xi64> to tensor<7x37xi64>
  %c = tiny.cmp ne %a1, %i : tensor<7x37xi64>
  %n0 = tiny.reshape %new : tensor<37xi16> to tensor<1x37xi16>
  %n1 = tiny.expand %n0 : tensor<1x37xi16> to tensor<7x37xi16>
  %r = tiny.where %c, %old, %n1 : tensor<7x37xi16>
  return %r : tensor<7x37xi16>
}

// Two numbers are a place together.
func.func @two(%old: tensor<5x6x3xf64> {tiny.name = "old", tiny.donated}, %new: tensor<3xf64> {tiny.name = "new"}, %at: tensor<i32> {tiny.name = "at"}, %and: tensor<3xi8> {tiny.name = "and"}) -> tensor<5x6x3xf64> {
  %i = tiny.iota dim 0 : tensor<5x6x3xi32>
  %j = tiny.iota dim 1 : tensor<5x6x3xi8>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1x1xi32> to tensor<5x6x3xi32>
  %b0 = tiny.reshape %and : tensor<3xi8> to tensor<1x1x3xi8>
  %b1 = tiny.expand %b0 : tensor<1x1x3xi8> to tensor<5x6x3xi8>
  %c = tiny.cmp eq %i, %a1 : tensor<5x6x3xi32>
  %d = tiny.cmp eq %j, %b1 : tensor<5x6x3xi8>
  %both = tiny.mul %c, %d : tensor<5x6x3xi1>
  %n0 = tiny.reshape %new : tensor<3xf64> to tensor<1x1x3xf64>
  %n1 = tiny.expand %n0 : tensor<1x1x3xf64> to tensor<5x6x3xf64>
  %r = tiny.where %both, %n1, %old : tensor<5x6x3xf64>
  return %r : tensor<5x6x3xf64>
}

// The new element is made of the old one, which is read where it is written.
func.func @add(%old: tensor<9x20xf16> {tiny.name = "old", tiny.donated}, %new: tensor<20xf16> {tiny.name = "new"}, %at: tensor<i32> {tiny.name = "at"}) -> tensor<9x20xf16> {
  %i = tiny.iota dim 0 : tensor<9x20xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1xi32> to tensor<9x20xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<9x20xi32>
  %n0 = tiny.reshape %new : tensor<20xf16> to tensor<1x20xf16>
  %n1 = tiny.expand %n0 : tensor<1x20xf16> to tensor<9x20xf16>
  %s = tiny.add %old, %n1 : tensor<9x20xf16>
  %r = tiny.where %c, %s, %old : tensor<9x20xf16>
  return %r : tensor<9x20xf16>
}

// A slice, by concatenation of what is left of the old value and something new.
func.func @slice(%old: tensor<4x16xbf16> {tiny.name = "old", tiny.donated}, %new: tensor<4x3xbf16> {tiny.name = "new"}) -> tensor<4x16xbf16> {
  %i = tiny.iota dim 1 : tensor<4x16xi32>
  %five = tiny.constant dense<5> : tensor<4x16xi32>
  %eight = tiny.constant dense<8> : tensor<4x16xi32>
  %head = tiny.shrink %old offsets [0, 0] sizes [4, 5] : tensor<4x16xbf16> -> tensor<4x5xbf16>
  %tail = tiny.shrink %old offsets [0, 8] sizes [4, 8] : tensor<4x16xbf16> -> tensor<4x8xbf16>
  %e = tiny.exp2 %new : tensor<4x3xbf16>
  %h = tiny.pad %head low [0, 0] high [0, 11] value 0.0 : bf16 : tensor<4x5xbf16> -> tensor<4x16xbf16>
  %m = tiny.pad %e low [0, 5] high [0, 8] value 0.0 : bf16 : tensor<4x3xbf16> -> tensor<4x16xbf16>
  %t = tiny.pad %tail low [0, 8] high [0, 0] value 0.0 : bf16 : tensor<4x8xbf16> -> tensor<4x16xbf16>
  %c = tiny.cmp lt %i, %five : tensor<4x16xi32>
  %d = tiny.cmp lt %i, %eight : tensor<4x16xi32>
  %mt = tiny.where %d, %m, %t : tensor<4x16xbf16>
  %r = tiny.where %c, %h, %mt : tensor<4x16xbf16>
  return %r : tensor<4x16xbf16>
}

// What is updated is made by the program, and read by another kernel before.
func.func @inside(%x: tensor<9x64xf32> {tiny.name = "x"}, %new: tensor<64xf32> {tiny.name = "new"}, %at: tensor<i32> {tiny.name = "at"}) -> (tensor<64xf32>, tensor<9x64xf32>) {
  %i = tiny.iota dim 0 : tensor<9x64xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1xi32> to tensor<9x64xi32>
  %w0 = tiny.reshape %x : tensor<9x64xf32> to tensor<9x64x1xf32>
  %w1 = tiny.expand %w0 : tensor<9x64x1xf32> to tensor<9x64x5xf32>
  %k = tiny.iota dim 2 : tensor<9x64x5xf32>
  %w2 = tiny.mul %w1, %k : tensor<9x64x5xf32>
  %w3 = tiny.exp2 %w2 : tensor<9x64x5xf32>
  %old = tiny.reduce add %w3 dims [2] : tensor<9x64x5xf32> -> tensor<9x64xf32>
  %before = tiny.reduce max %old dims [0] : tensor<9x64xf32> -> tensor<64xf32>
  %c = tiny.cmp eq %i, %a1 : tensor<9x64xi32>
  %n0 = tiny.reshape %new : tensor<64xf32> to tensor<1x64xf32>
  %n1 = tiny.expand %n0 : tensor<1x64xf32> to tensor<9x64xf32>
  %u = tiny.where %c, %n1, %old : tensor<9x64xf32>
  return %before, %u : tensor<64xf32>, tensor<9x64xf32>
}

func.func @kept(%old: tensor<6x4xf32> {tiny.name = "old"}, %new: tensor<4xf32> {tiny.name = "new"}, %at: tensor<i32> {tiny.name = "at"}) -> tensor<6x4xf32> {
  %i = tiny.iota dim 0 : tensor<6x4xi32>
  %a0 = tiny.reshape %at : tensor<i32> to tensor<1x1xi32>
  %a1 = tiny.expand %a0 : tensor<1x1xi32> to tensor<6x4xi32>
  %c = tiny.cmp eq %i, %a1 : tensor<6x4xi32>
  %n0 = tiny.reshape %new : tensor<4xf32> to tensor<1x4xf32>
  %n1 = tiny.expand %n0 : tensor<1x4xf32> to tensor<6x4xf32>
  %r = tiny.where %c, %n1, %old : tensor<6x4xf32>
  return %r : tensor<6x4xf32>
}
