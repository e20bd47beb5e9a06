// error: statically shaped tensor
func.func @main(%x: tensor<?xf32>) {
  %0 = tiny.exp2 %x : tensor<?xf32>
  return
}
