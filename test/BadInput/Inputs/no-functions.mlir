// error: has no function 'main' to run
// tools: tiny-run
