#!/usr/bin/env python3
"""Prints the polynomials of lib/IR/CompositesFunctions.cpp and lib/Codegen/ExpandMathSingle.cpp.

Each is the interpolant at Chebyshev nodes, computed with 70 digits, which is within a small factor
of the best polynomial of its degree. Only the standard library is needed.
"""
from decimal import Decimal as D, getcontext

getcontext().prec = 70


def pi():
    # Machin: pi = 16 atan(1/5) - 4 atan(1/239)
    def atan_inverse(n):
        total, term, k = D(0), D(1) / n, 0
        while abs(term) > D(10) ** -75:
            total += (-1) ** k * term / (2 * k + 1)
            term /= n * n
            k += 1
        return total
    return 16 * atan_inverse(5) - 4 * atan_inverse(239)


PI = pi()
LOG2 = D(2).ln()


def cos(x):
    total, term, k = D(0), D(1), 0
    while abs(term) > D(10) ** -75:
        total += term
        k += 2
        term *= -x * x / (k * (k - 1))
    return total


def tanh(x):
    up, down = x.exp(), (-x).exp()
    return (up - down) / (up + down)


def erf(x):
    total, term, k = D(0), x, 0
    while abs(term) > D(10) ** -75:
        total += term / (2 * k + 1)
        k += 1
        term *= -x * x / k
    return 2 * total / PI.sqrt()


def interpolate(f, low, high, count):
    """Monomial coefficients, lowest first, of f on [low, high]."""
    low, high = D(low), D(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(PI * (2 * i + 1) / (2 * count))
             for i in range(count)]
    table = [f(x) for x in nodes]
    for level in range(1, count):
        for i in range(count - 1, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
    coefficients = [D(0)] * count
    for i in range(count - 1, -1, -1):  # Horner of the Newton form
        coefficients = [(coefficients[j - 1] if j else D(0)) - nodes[i] * coefficients[j]
                        for j in range(count)]
        coefficients[0] += table[i]
    return coefficients


def worst(f, coefficients, low, high):
    error = D(0)
    for i in range(1, 400):
        x = D(low) + (D(high) - D(low)) * i / 400
        value = D(0)
        for c in reversed(coefficients):
            value = value * x + c
        error = max(error, abs(value - f(x)))
    return float(error)


def show(name, f, low, high, counts):
    for bits, count in counts.items():
        coefficients = interpolate(f, low, high, count)
        print(f"{name} {bits}: error {worst(f, coefficients, low, high):.1e}")
        print("    " + ", ".join(f"{float(c)!r}" for c in coefficients) + ",")


# tanh(x) = x (1 + z P(z)) and erf(x) = x + x Q(z), with z = x²
show("tanh", lambda z: (tanh(z.sqrt()) / z.sqrt() - 1) / z, "0", "0.390625", {"f32": 5, "f64": 12})
show("erf", lambda z: erf(z.sqrt()) / z.sqrt() - 1, "0", "1", {"f32": 7, "f64": 13})
# erf(x) = 1 - exp2(R(x - 1)) for x from 1 to 4 (f32) or 6 (f64): centred where erfc is largest, so
# that rounding in R costs least there
show("erfc", lambda u: (1 - erf(1 + u)).ln() / LOG2, "0", "3", {"f32": 9})
show("erfc", lambda u: (1 - erf(1 + u)).ln() / LOG2, "0", "5", {"f64": 24})
# exp(r) = 1 + r P(r) for |r| up to ln(2) / 2, and a bit more for the rounding of r
show("exp", lambda r: (r.exp() - 1) / r, "-0.3466", "0.3466", {"f32": 6})
