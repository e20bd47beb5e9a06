// Transposition in registers gives every element its place, whatever the sizes leave over, and whatever
// else the value is made of.
//
// RUN: tiny-run %s --entry odd --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry half --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry double --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry bytes --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry middle --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry back --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry both --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry padded --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// RUN: tiny-run %s --entry chain --input random:1 --verify-against reference --poison --threads 2 | FileCheck %s
// CHECK: agrees with the reference

func.func @odd(%x: tensor<67x45xf32> {tiny.name = "x"}) -> (tensor<45x67xf32> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<67x45xf32> -> tensor<45x67xf32>
  return %0 : tensor<45x67xf32>
}

func.func @half(%x: tensor<33x70xf16> {tiny.name = "x"}) -> (tensor<70x33xf16> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<33x70xf16> -> tensor<70x33xf16>
  return %0 : tensor<70x33xf16>
}

func.func @double(%x: tensor<29x31xf64> {tiny.name = "x"}) -> (tensor<31x29xf64> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<29x31xf64> -> tensor<31x29xf64>
  return %0 : tensor<31x29xf64>
}

func.func @bytes(%x: tensor<65x83xi8> {tiny.name = "x"}) -> (tensor<83x65xi8> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<65x83xi8> -> tensor<83x65xi8>
  return %0 : tensor<83x65xi8>
}

func.func @middle(%x: tensor<3x19x5x24xf32> {tiny.name = "x"}) -> (tensor<3x5x24x19xf32> {tiny.name = "y"}) {
  %0 = tiny.permute %x [0, 2, 3, 1] : tensor<3x19x5x24xf32> -> tensor<3x5x24x19xf32>
  return %0 : tensor<3x5x24x19xf32>
}

func.func @back(%x: tensor<2x9x11x17x3xf32> {tiny.name = "x"}) -> (tensor<3x11x2x17x9xf32> {tiny.name = "y"}) {
  %0 = tiny.permute %x [4, 2, 0, 3, 1] : tensor<2x9x11x17x3xf32> -> tensor<3x11x2x17x9xf32>
  return %0 : tensor<3x11x2x17x9xf32>
}

// One operand along the lanes, the other one across them.
func.func @both(%x: tensor<41x41xf32> {tiny.name = "x"}) -> (tensor<41x41xf32> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<41x41xf32> -> tensor<41x41xf32>
  %1 = tiny.add %0, %x : tensor<41x41xf32>
  return %1 : tensor<41x41xf32>
}

// Guards: where they hold for a whole tile there are squares, else single elements.
func.func @padded(%x: tensor<37x50xf32> {tiny.name = "x"}) -> (tensor<56x40xf32> {tiny.name = "y"}) {
  %0 = tiny.permute %x [1, 0] : tensor<37x50xf32> -> tensor<50x37xf32>
  %1 = tiny.pad %0 low [3, 2] high [3, 1] value 7.0 : f32 : tensor<50x37xf32> -> tensor<56x40xf32>
  return %1 : tensor<56x40xf32>
}

// In the second nest of a kernel.
func.func @chain(%x: tensor<48x40xf32> {tiny.name = "x"}) -> (tensor<40x48xf32> {tiny.name = "y"}) {
  %s = tiny.reduce add %x dims [0] : tensor<48x40xf32> -> tensor<40xf32>
  %r = tiny.reshape %s : tensor<40xf32> to tensor<40x1xf32>
  %e = tiny.expand %r : tensor<40x1xf32> to tensor<40x48xf32>
  %0 = tiny.permute %x [1, 0] : tensor<48x40xf32> -> tensor<40x48xf32>
  %1 = tiny.add %0, %e : tensor<40x48xf32>
  return %1 : tensor<40x48xf32>
}
