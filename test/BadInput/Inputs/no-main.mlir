// error: --entry can be run
// tools: tiny-run
func.func @run(%x: tensor<4xf32>) { return }
