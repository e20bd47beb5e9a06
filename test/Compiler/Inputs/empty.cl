__kernel void empty() {}
