// error: the memory of this machine
// tools: tiny-run
// args: --target reference --input 1
func.func @main(%x: tensor<4611686018427387904x4611686018427387904xf32>) { return }
